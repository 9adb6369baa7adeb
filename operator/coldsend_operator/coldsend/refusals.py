"""From a response other than 2xx to its Failure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from coldsend_operator.coldsend.bodies import as_sentence, read_json
from coldsend_operator.coldsend.errors import NotUnderstood
from coldsend_operator.coldsend.headers import read_wait
from coldsend_operator.coldsend.masking import Mask
from coldsend_operator.core.model.answers import ABSENT_CODES, Failure, FailureKind, Fault

MAX_FAULTS = 500
MAX_SCOPES = 20

_KINDS = {
    401: FailureKind.UNAUTHORIZED,
    402: FailureKind.PLAN_LIMIT,
    404: FailureKind.NOT_FOUND,
    410: FailureKind.NOT_FOUND,
    409: FailureKind.CONFLICT,
    413: FailureKind.TOO_LARGE,
    429: FailureKind.RATE_LIMITED,
    # Of a proxy: like a 5xx it leaves open whether the work was done.
    407: FailureKind.UNAVAILABLE,
    408: FailureKind.UNAVAILABLE,
    421: FailureKind.UNAVAILABLE,
    425: FailureKind.UNAVAILABLE,
    499: FailureKind.UNAVAILABLE,
}
_ABOUT_THE_INBOX = frozenset({FailureKind.REFUSED, FailureKind.CONFLICT, FailureKind.NOT_FOUND, FailureKind.PLAN_LIMIT})
_SCOPE_WORD = re.compile(r"\bscopes?\b", re.IGNORECASE)
_PLACES = frozenset({"body", "query", "path", "header"})


def read_refusal(
    status: int, headers: Mapping[str, str], body: bytes, mask: Mask, *, items: int, now: float
) -> Failure:
    """`items` is the number of items of a bulk call (0: no bulk): a fault with a higher index names none."""
    readable = _readable(status, body)
    whole = readable or {}
    detail = whole.get("detail")
    faults = _faults(detail, mask, items)
    required = _required(whole, mask) if status == 403 else ()
    lacks_scope = (
        bool(required) or whole.get("error") == "insufficient_scopes" or (status == 403 and _tells_of_scope(whole))
    )
    kind = _kind(status, lacks_scope=lacks_scope)
    by_another = readable is None and kind in _ABOUT_THE_INBOX and status >= 400
    if by_another:
        kind = FailureKind.UNAVAILABLE
    return Failure(
        kind=kind,
        message=_not_of_the_api(status) if by_another else _message(status, whole, faults, mask),
        status=status,
        faults=faults,
        required=required,
        retry_after=read_wait(headers, as_sentence(whole), now) if kind is FailureKind.RATE_LIMITED else None,
    )


def _readable(status: int, body: bytes) -> dict[str, Any] | None:
    """The JSON object of an error, or an object made from a text or a list.

    None if another server answered, such as a gateway or a firewall: errors of the API are JSON, and a 404 counts only
    with an object, as it may prove that an inbox is gone.
    """
    try:
        value = read_json(body)
    except NotUnderstood:
        return None
    if status in ABSENT_CODES and not (value and isinstance(value, dict)):
        return None
    if isinstance(value, dict):
        return value
    return {"detail": value} if value else {}


def _kind(status: int, *, lacks_scope: bool) -> FailureKind:
    if status == 403:
        return FailureKind.FORBIDDEN if lacks_scope else FailureKind.PLAN_LIMIT
    return _KINDS.get(status) or (FailureKind.UNAVAILABLE if status >= 500 else FailureKind.REFUSED)


def _required(whole: dict[str, Any], mask: Mask) -> tuple[str, ...]:
    named = whole.get("required")
    if named is None and isinstance(whole.get("detail"), dict):
        named = whole["detail"].get("required")
    scopes = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    return tuple(mask.sentence(scope) for scope in scopes[:MAX_SCOPES] if isinstance(scope, str) and scope)


def _tells_of_scope(whole: dict[str, Any]) -> bool:
    """The scope in a message without the field `required`: "Missing required scope: domains:read"."""
    return _SCOPE_WORD.search(as_sentence(whole.get("detail")) or as_sentence(whole)) is not None


def _faults(detail: object, mask: Mask, items: int) -> tuple[Fault, ...]:
    entries = [each for each in detail if isinstance(each, dict)] if isinstance(detail, list) else []
    return tuple(_fault(each, mask, items) for each in entries[:MAX_FAULTS] if isinstance(each.get("loc"), list))


def _fault(entry: dict[str, Any], mask: Mask, items: int) -> Fault:
    loc = [part for each in entry["loc"] for part in _loc_part(each)]
    names = [part for part in loc if isinstance(part, str)]
    index = next((part for part in loc if isinstance(part, int)), None)
    # [`body`, 17] of an invalid JSON body is a text position: an item is in a named list.
    in_list = index is not None and 0 <= index < items and bool(names)
    field = names[-1] if names and isinstance(loc[-1], str) else None
    item = index if in_list else None
    return Fault(item, field and mask.sentence(field, item), mask.sentence(as_sentence(entry), item))


def _loc_part(part: object) -> Iterator[str | int]:
    if isinstance(part, str) and part not in _PLACES:
        yield int(part) if part.isdecimal() and len(part) < 10 else part
    elif isinstance(part, int) and not isinstance(part, bool):
        yield part


def _message(status: int, whole: dict[str, Any], faults: tuple[Fault, ...], mask: Mask) -> str:
    if faults:
        said = "; ".join(f"{_place(fault)}{fault.message}" for fault in faults[:3])
        return mask.sentence(said + (f"; and {len(faults) - 3} more" if len(faults) > 3 else ""))
    said = mask.sentence(as_sentence(whole.get("detail")) or as_sentence(whole))
    if 300 <= status < 400:
        return f"ColdSend answered with a redirect ({status}), which is not followed; check COLDSEND_API_URL"
    return said or f"ColdSend answered {status} without a reason"


def _not_of_the_api(status: int) -> str:
    said = f"the {status} did not come from the ColdSend API"
    if status in ABSENT_CODES:
        return f"{said}; ColdSend may be down, or COLDSEND_API_URL wrong"
    return f"{said} but from a server before it, such as a proxy or firewall"


def _place(fault: Fault) -> str:
    item = "" if fault.index is None else f"item {fault.index}"
    return ", ".join(filter(None, (item, fault.field))) + ": " if item or fault.field else ""
