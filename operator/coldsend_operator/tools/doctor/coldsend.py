"""The checks of ColdSend: at most four GETs and all that their responses show."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from coldsend_operator.coldsend import readers, requests
from coldsend_operator.coldsend.bodies import read_object
from coldsend_operator.coldsend.errors import CallFailed, NotUnderstood, Refused
from coldsend_operator.coldsend.headers import read_rate, read_server_time
from coldsend_operator.coldsend.masking import Mask
from coldsend_operator.coldsend.models import DomainAnswer, RowAnswer
from coldsend_operator.coldsend.reads import Reply
from coldsend_operator.coldsend.refusals import read_refusal
from coldsend_operator.core.model.answers import INBOX_TYPES, STATUSES, Failure, FailureKind, Row
from coldsend_operator.settings import Settings
from coldsend_operator.tools.clients import ColdSendReader
from coldsend_operator.tools.doctor.checks import Check, bad, doubtful, good
from coldsend_operator.tools.output import counted, few

PAGE = 100
CLOCK_SECONDS = 5.0  # by which the clocks may differ (rule 6: a create is known by its time)
_HOUR = 3_600.0
_LONGER_THAN_A_MINUTE = 90.0  # Date and reset have whole seconds
_OF_LIST = frozenset({"success", "message", "sender_accounts", "pagination"})
_OF_DOMAINS = frozenset({"success", "message", "domains", "pagination"})
_OF_PAGINATION = frozenset({"page", "limit", "total", "pages", "has_next", "has_prev"})
_OF_ROW = frozenset(RowAnswer.model_fields)
_OF_DETAILS = _OF_ROW | {"success", "message", "domain_id", "smtp_host", "smtp_port", "imap_host", "imap_port"}
_OF_DOMAIN = frozenset(DomainAnswer.model_fields) | {"mailcow_added", "cloudflare_verified", "created_at"}
_READ, _DOMAINS = "sender_accounts:read", "domains"


async def check_coldsend(reader: ColdSendReader, settings: Settings) -> list[Check]:
    """The list, the domains, the details of the first inbox, and a search for it."""
    checks: list[Check] = []
    rows = await _list(reader, settings, checks)
    if rows is None:
        return checks
    await _domains(reader, checks)
    if not rows:
        what = "the workspace has no inbox, so the details endpoint and the search were not checked"
        return [*checks, doubtful("details", f"{what}; --write-test creates an inbox and deletes it")]
    await _details(reader, rows[0], checks)
    await _search(reader, rows[0], checks)
    return checks


async def _list(reader: ColdSendReader, settings: Settings, checks: list[Check]) -> list[Row] | None:
    """The rows of the first page; None if further checks are pointless."""
    began = time.time()
    reply = await _reply(reader, requests.list_accounts(1, PAGE, "email_address", "asc"))
    ended = time.time()
    if isinstance(reply, Failure):
        checks.append(_refused(reply, settings))
        return None
    checks.append(
        good("key", f"{settings.api_url} accepts the API key, which has {_READ}; other scopes are not checked")
    )
    checks.append(_limits(reply, settings))
    checks.append(_clock(reply, began, ended))
    try:
        page = readers.read_page(reply.body or b"", Mask(), 1, PAGE)
        whole = read_object(reply.body or b"")
    except (NotUnderstood, Refused) as error:
        checks.append(bad("list", f"the list does not have the documented shape: {error}"))
        return None
    raw = [each for each in whole["sender_accounts"] if isinstance(each, dict)]
    shown = f"{len(raw)} of {counted(page.total or 0, 'inbox', 'inboxes')}"
    if page.total is None:
        checks.append(doubtful("list", "the list does not report the number of inboxes, so absence cannot be proved"))
    elif page.total < len(raw) or (page.total > len(raw) and not page.has_next):
        checks.append(bad("list", f"the list reports {page.total} inboxes but shows {len(raw)}", 35))
    else:
        checks.append(good("list", f"the list has the documented shape (the first page shows {shown})"))
    checks += _fields("list", raw, _OF_ROW, [*_more(whole, _OF_LIST), *_more(whole["pagination"], _OF_PAGINATION)])
    checks += _words(page.rows)
    checks += _values(raw)
    return list(page.rows)


async def _domains(reader: ColdSendReader, checks: list[Check]) -> None:
    reply = await _reply(reader, requests.list_domains(1, PAGE))
    if isinstance(reply, Failure):
        if reply.kind is not FailureKind.FORBIDDEN:
            checks.append(doubtful("domains", f"the domains cannot be read: {reply.message}"))
            return
        needed = ", ".join(reply.required) or "one that ColdSend does not name"
        what = "native inboxes need spec.native.domainName then, or the scope"
        checks.append(doubtful("domains", f"the key lacks the scope of the domains ({needed}); {what}", 41))
        return
    try:
        page = readers.read_domain_page(reply.body or b"", Mask(), 1, PAGE)
        whole = read_object(reply.body or b"")
    except (NotUnderstood, Refused) as error:
        checks.append(bad("domains", f"the domains do not have the documented shape: {error}"))
        return
    active = sum(domain.is_active() for domain in page.domains)
    checks.append(
        good(
            "domains",
            f"the key may read the domains: {counted(len(page.domains), 'domain', 'domains')}, {active} active",
            41,
        )
    )
    raw = [each for each in whole["domains"] if isinstance(each, dict)]
    checks += _fields("domains", raw, _OF_DOMAIN, _more(whole, _OF_DOMAINS), needed=False)


async def _details(reader: ColdSendReader, row: Row, checks: list[Check]) -> None:
    area = "details"
    reply = await _reply(reader, requests.get_account(row.inbox_id))
    if isinstance(reply, Failure):
        checks.append(doubtful(area, f"the details of an inbox cannot be read: {reply.message}", 37))
        return
    try:
        readers.read_details(reply.body or b"", Mask(), row.inbox_id)
        whole = read_object(reply.body or b"")
    except (NotUnderstood, Refused) as error:
        checks.append(bad(area, f"the operator does not understand the details of an inbox: {error}", 37))
        return
    under = next((name for name, value in whole.items() if isinstance(value, dict) and "email_address" in value), None)
    where = f"under {under}" if under else "at the top level"
    checks.append(good(area, f"the details of an inbox are {where}", 37))
    inner = whole[under] if under else whole
    checks += _fields(
        area, [inner], _OF_DETAILS, _more(whole, frozenset({"success", "message", under})) if under else ()
    )


async def _search(reader: ColdSendReader, row: Row, checks: list[Check]) -> None:
    area, part = "search", row.address[1:-1]
    reply = await _reply(reader, requests.list_accounts(1, PAGE, "email_address", "asc", search=part))
    if isinstance(reply, Failure):
        checks.append(doubtful(area, f"the search failed: {reply.message}", 34))
        return
    try:
        page = readers.read_page(reply.body or b"", Mask(), 1, PAGE)
    except (NotUnderstood, Refused) as error:
        checks.append(bad(area, f"the response to a search is not understood: {error}", 34))
        return
    found = {each.inbox_id: each.address for each in page.rows}
    others = [address for address in found.values() if part not in address]
    if row.inbox_id not in found:
        checks.append(doubtful(area, "search does not find an address by a part of it: it matches whole addresses", 34))
    elif others:
        checks.append(doubtful(area, "search returns inboxes whose addresses do not contain the search text", 34))
    else:
        checks.append(good(area, "search finds an address by a part of it", 34))


# -- readings


async def _reply(reader: ColdSendReader, request: requests.Request) -> Reply | Failure:
    """The response, or the failure if there is none or its status is not 2xx."""
    try:
        reply = await reader.reply_to(request)
    except CallFailed as error:
        return error.failure
    if 200 <= reply.status < 300:
        return reply
    return read_refusal(reply.status, reply.headers, reply.body or b"", Mask(), items=0, now=time.time())


def _refused(failure: Failure, settings: Settings) -> Check:
    if failure.status is None:
        return bad("connection", f"{settings.api_url}: {failure.message}")
    match failure.kind:
        case FailureKind.UNAUTHORIZED:
            said = f"ColdSend refuses the API key: {failure.message.rstrip('. ')}; keys of ColdSend begin with cs_live_"
            return bad("key", said)
        case FailureKind.FORBIDDEN:
            needed = ", ".join(failure.required) or _READ
            return bad("scopes", f"the key lacks {needed}; grant it that scope in ColdSend")
        case FailureKind.RATE_LIMITED:
            return doubtful("limits", f"ColdSend allows no more requests at the moment: {failure.message}", 13)
        case FailureKind.NOT_FOUND | FailureKind.REFUSED | FailureKind.MISROUTED:
            said = f"HTTP {failure.status}: {failure.message}"
            return bad("connection", f"COLDSEND_API_URL does not lead to the ColdSend API; check it ({said})")
    return bad("connection", f"ColdSend answered with an error: {failure.message}")


def _limits(reply: Reply, settings: Settings) -> Check:
    """The window that the headers describe: by their limit, else by its end."""
    rate, now = read_rate(reply.headers), read_server_time(reply.headers) or time.time()
    if rate is None or rate.limit is None:
        return doubtful(
            "limits", "the response has no headers for the rate limit; the operator counts requests itself", 16
        )
    ends = None if rate.reset is None else rate.reset - now if rate.reset > _HOUR else rate.reset
    said = f"{rate.limit:,} requests" + ("" if rate.remaining is None else f", {rate.remaining:,} left")
    minute, hour = settings.requests_per_minute, settings.requests_per_hour
    of_hour = (
        rate.limit == hour if rate.limit in {minute, hour} else bool(ends is not None and ends > _LONGER_THAN_A_MINUTE)
    )
    window, wanted, name = ("hour", hour, "REQUESTS_PER_HOUR") if of_hour else ("minute", minute, "REQUESTS_PER_MINUTE")
    if rate.limit < wanted:
        way = f"set COLDSEND_{name} to that limit, or ColdSend refuses some requests"
        return doubtful("limits", f"the headers describe the {window}: {said}; {wanted:,} are set; {way}", 16)
    return good("limits", f"the headers describe the {window}: {said}", 16)


def _clock(reply: Reply, began: float, ended: float) -> Check:
    told = read_server_time(reply.headers)
    if told is None:
        return doubtful("clock", "the response has no Date header: a lost create cannot be recognized by its time")
    off = told + 0.5 - (began + ended) / 2  # Date has whole seconds
    if abs(off) > CLOCK_SECONDS:
        return doubtful(
            "clock", f"the clock of ColdSend is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} this one"
        )
    return good("clock", "the clocks of ColdSend and of this machine agree")


def _fields(
    area: str, rows: list[dict[str, Any]], known: frozenset[str], around: Iterable[str], *, needed: bool = True
) -> Iterator[Check]:
    """Undocumented fields, and documented ones that no row has."""
    unknown = sorted({*around, *(name for row in rows for name in row if name not in known)})
    if unknown:
        yield doubtful(area, f"unknown fields, which the operator ignores: {few(unknown)}")
    missing = sorted(_OF_ROW - {name for row in rows for name in row}) if needed and rows else []
    if missing:
        yield doubtful(area, f"documented fields that are missing: {few(missing)}")


def _more(whole: Mapping[str, Any], known: frozenset[str | None] | frozenset[str]) -> list[str]:
    return [name for name in whole if name not in known]


def _words(rows: Iterable[Row]) -> Iterator[Check]:
    statuses = {row.overall_status for row in rows if row.overall_status}
    types = {row.inbox_type for row in rows if row.inbox_type}
    unknown = sorted(map(repr, (statuses - STATUSES) | (types - INBOX_TYPES)))
    if unknown:
        yield doubtful("words", f"unknown values of status or type: {few(unknown)}; such inboxes are not Ready", 33)
    elif statuses or types:
        yield good("words", f"all values of status and type are known: {', '.join(sorted(statuses | types))}", 33)
    if "PENDING" in statuses:
        yield good("words", "some inboxes are PENDING: they count as in progress", 32)


def _values(rows: list[dict[str, Any]]) -> Iterator[Check]:
    scores = [score for row in rows if isinstance(score := row.get("health_score"), int | float)]
    if scores:
        low, high = min(scores), max(scores)
        if high <= 1:
            yield doubtful("health", f"health scores are fractions ({low:g} to {high:g}); set COLDSEND_HEALTH_LOW", 38)
        else:
            yield good("health", f"health scores range from {low:g} to {high:g}", 38)
    addresses = [address for row in rows if isinstance(address := row.get("email_address"), str)]
    if addresses:
        lower = all(address == address.lower() for address in addresses)
        yield good("addresses", f"addresses are returned {'in lower case' if lower else 'as they were sent'}", 39)
