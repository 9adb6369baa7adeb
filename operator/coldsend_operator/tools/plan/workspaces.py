"""From objects to workspaces of the core, with a model of ColdSend derived from status."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from coldsend_operator.accounts.reading import read_object
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account, Backoff, Credentials
from coldsend_operator.core.model.answers import Domain, Row
from coldsend_operator.core.model.conditions import condition
from coldsend_operator.core.model.create_marks import CreateMarks
from coldsend_operator.core.model.desired import KeyRef, Native
from coldsend_operator.core.model.hashes import comparable, visible_part
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.model.reasons import ConditionType, Reason
from coldsend_operator.core.model.stored_status import Status, from_text
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.trust import Trust
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.passwords import SecretReader
from coldsend_operator.resources.names import ACCOUNT_KIND
from coldsend_operator.tools.plan.coldsend import ModelOfColdSend
from coldsend_operator.tools.plan.objects import Raw, World
from coldsend_operator.tools.plan.rehearsal import UNREAD

_LASTS = 10 * 365 * 86_400.0  # seconds: as long as spec stays, and still a time that a message can tell
UNKNOWN_NAME = "(not in status)"  # differs from that of the spec
_REFUSALS = frozenset({Reason.REJECTED, Reason.CONNECTION_FAILED, Reason.PLAN_LIMIT, Reason.MISSING_SCOPES})
_SECRETS = frozenset({Reason.SECRET_NOT_FOUND, Reason.SECRET_KEY_NOT_FOUND, Reason.SECRET_INVALID})
_MISSED = frozenset({Reason.NOT_FOUND, Reason.INVENTORY_IMPLAUSIBLE})
_DOMAIN_STATES = {Reason.DOMAIN_NOT_ACTIVE: "PENDING", Reason.DOMAIN_FULL: "ACTIVE", Reason.DOMAIN_NOT_FOUND: ""}


@dataclass(frozen=True, slots=True)
class ListedWorkspace:
    """The list of ColdSend for the workspace of one key (`--live`)."""

    key: KeyRef
    rows: tuple[Row, ...]
    domains: tuple[Domain, ...] | None  # None: they may not be read


@dataclass(slots=True)
class PlannedWorkspace:
    """A workspace and its model of ColdSend."""

    workspace: Workspace
    coldsend: ModelOfColdSend


@dataclass(slots=True)
class PlannedWorkspaces:
    """The workspaces, and the assumptions made."""

    workspaces: list[PlannedWorkspace] = field(default_factory=list)
    secrets_unread: set[tuple[str, str]] = field(default_factory=set)  # namespace and name of objects with passwords
    uncompared: set[tuple[str, str]] = field(default_factory=set)  # of those whose digests were made with another key
    domains_unread: int = 0


def workspaces(
    world: World, policy: Policy, listed: ListedWorkspace | None, now: float, secrets: SecretReader | None = None
) -> PlannedWorkspaces:
    """One workspace for each API key, or for several that status knows to be one."""
    policy.create_marks = CreateMarks(b"plan")
    accounts = list(_accounts(world, policy))
    digests = _digests(accounts)
    groups: dict[str, list[Account]] = defaultdict(list)
    for account in accounts:
        groups[digests[account.desired.key_ref]].append(account)
    claims, trust = Claims(), Trust()
    reading = PlannedWorkspaces()
    for digest, members in groups.items():
        own = listed if listed is not None and digests.get(listed.key) == digest else None
        rows = own.rows if own is not None else tuple(_rows_of(members, world))
        asked = own.domains if own is not None else None
        domains = asked if asked is not None else tuple(_domains_of(members))
        workspace = Workspace(digest, policy, claims, trust)
        for account in members:
            _remember(account, now, refusals=own is None)
            if account.desired.spec.smtp is not None and account.desired.deleting is None:
                _read_secrets(account, secrets, reading)
            workspace.add(account, now)
        reading.workspaces.append(PlannedWorkspace(workspace, ModelOfColdSend(rows, domains)))
        reading.domains_unread += asked is None and any(_asks_domain(each) for each in members)
    return reading


def _accounts(world: World, policy: Policy) -> Iterator[Account]:
    """All readable objects; an unreadable one affects itself alone (rule 38)."""
    for raw in world.of_kind(ACCOUNT_KIND):
        try:
            yield _account(raw, policy)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it
            world.set_aside(raw, error)


def _read_secrets(account: Account, secrets: SecretReader | None, reading: PlannedWorkspaces) -> None:
    """Use the current content of its Secrets instead of status."""
    if secrets is None or not secrets.has(account):
        reading.secrets_unread.add((account.desired.namespace, account.desired.name))
        return
    found = secrets.fetched(account).credentials
    sent, known = account.stored.sent_credentials, account.credentials
    if found.digest and sent and known is not None and known.digest and not comparable(found.digest, sent):
        reading.uncompared.add((account.desired.namespace, account.desired.name))  # what status says of it holds
        return
    transitions.secret_read(account, found)


def _account(raw: Raw, policy: Policy) -> Account:
    """The object, with the API key that its namespace gives to those that name none."""
    account = read_object(raw)
    key = policy.of_namespace(account.desired.namespace).key
    transitions.shown(account, replace(account.desired, default_key=key))
    return account


def _digests(accounts: Iterable[Account]) -> dict[KeyRef, str]:
    """The workspace of each key: the one in which status saw most of its inboxes."""
    seen: dict[KeyRef, Counter[str]] = defaultdict(Counter)
    for account in accounts:
        applied = account.stored.applied
        bound = applied.workspace if applied is not None and account.stored.held else None
        seen[account.desired.key_ref].update([bound] if bound is not None else [])
    return {ref: max(counts, key=counts.__getitem__) if counts else f"of {ref}" for ref, counts in seen.items()}


# -- what status says of earlier answers


def _remember(account: Account, now: float, *, refusals: bool) -> None:
    """State of a running operator beyond status: Secrets and refusals of ColdSend."""
    status = from_text(account.raw_status)
    ready = condition(status, ConditionType.READY)
    current = ready.get("observedGeneration") == account.desired.generation
    reason, message = str(ready.get("reason", "")), str(ready.get("message", ""))
    if account.desired.spec.smtp is not None:
        transitions.secret_read(account, _credentials(account, status, reason if current else "", message))
    if not current or account.desired.deleting is not None:
        if reason == Reason.IN_USE_BY_CAMPAIGN:
            backoff = Backoff(Reason.IN_USE_BY_CAMPAIGN, message, now, now + _LASTS, account.basis)
            transitions.delete_refusal_known(account, backoff)
        return
    if reason == Reason.UNAUTHORIZED or (reason in _SECRETS and account.desired.spec.native is not None):
        transitions.key_read(account, (Reason(reason), message))
    elif reason in _REFUSALS and not account.stored.held and refusals:
        backoff = Backoff(Reason(reason), message, now, now + _LASTS, account.basis)
        transitions.create_refusal_known(account, backoff)


def _credentials(account: Account, status: Status, reason: str, message: str) -> Credentials:
    if reason in _SECRETS:
        return Credentials(None, Reason(reason), message)
    sent = account.stored.sent_credentials
    if sent is None:
        return Credentials(UNREAD)
    changed = condition(status, ConditionType.CREDENTIALS_CURRENT).get("reason") == Reason.SECRET_CHANGED
    return Credentials(f"{sent.rpartition('-')[0]}-changed" if changed else sent)


# -- what status says of ColdSend


def _rows_of(accounts: Iterable[Account], world: World) -> Iterator[Row]:
    for account in accounts:
        status = from_text(account.raw_status)
        reason = condition(status, ConditionType.READY).get("reason")
        synced = condition(status, ConditionType.SYNCED).get("reason")
        if account.stored.inbox_id is not None and not {reason, synced} & _MISSED:
            yield _row(account, status, world)
        elif reason == Reason.ALREADY_EXISTS and account.desired.spec.address is not None:
            yield Row(f"exists {account.desired.spec.address}", account.desired.spec.address)


def _row(account: Account, status: Status, world: World) -> Row:
    return Row(
        account.stored.inbox_id or "",
        status.get("emailAddress") or account.desired.spec.email_address or _native_address(account),
        display_name=_display_name(account, status, world),
        inbox_type=status.get("inboxType") or account.desired.spec.inbox_type,
        overall_status=status.get("overallStatus"),
        daily_limit=status.get("dailyLimit"),
        emails_sent_today=status.get("emailsSentToday"),
        health_score=status.get("healthScore"),
        created_at=status.get("createdAt"),
    )


def _display_name(account: Account, status: Status, world: World) -> str | None:
    """Status does not show the name: it is the one that was sent, unless the name was changed in ColdSend.

    The fingerprint of what was sent tells whether that is the one of spec now.
    """
    applied, spec = account.stored.applied, account.desired.spec
    sent = applied.spec_hash if applied is not None else None
    drifted = condition(status, ConditionType.SYNCED).get("reason") == Reason.DRIFTED
    limited = spec.daily_limit is None or status.get("dailyLimit") in {None, spec.daily_limit}
    if sent is None or (visible_part(sent) == visible_part(spec.hash) and not (drifted and limited)):
        return spec.display_name
    before = world.before.get((ACCOUNT_KIND, account.desired.namespace, account.desired.name))
    name = before.get("displayName") if isinstance(before, Mapping) else None
    if isinstance(name, str) and name != spec.display_name:
        return name
    return UNKNOWN_NAME if limited else spec.display_name  # the limit alone makes the difference


def _native_address(account: Account) -> str:
    native = account.desired.spec.native
    return f"{native.prefix}@{native.domain}" if native is not None else ""


def _asks_domain(account: Account) -> bool:
    return account.desired.spec.native is not None and not account.stored.held


def _domains_of(accounts: Iterable[Account]) -> Iterator[Domain]:
    """Domains by the refusals in status; all others count as usable."""
    found: dict[str, Domain] = {}
    for account in accounts:
        native = account.desired.spec.native
        if native is None:
            continue
        status = from_text(account.raw_status)
        ready = condition(status, ConditionType.READY)
        reason = ready.get("reason") if ready.get("observedGeneration") == account.desired.generation else None
        state = _DOMAIN_STATES.get(reason, "ACTIVE") if reason is not None else "ACTIVE"
        if native.domain not in found or reason in _DOMAIN_STATES:
            found[native.domain] = _domain(native, status, state, full=reason == Reason.DOMAIN_FULL)
    yield from (domain for domain in found.values() if domain.status)


def _domain(native: Native, status: Status, state: str, *, full: bool) -> Domain:
    told = str(status.get("emailAddress", "")).rpartition("@")[2]
    name = native.domain_name or told or f"domain-{native.domain_id}"
    limit = 0 if full else None
    return Domain(native.domain_id or f"id of {name}", name, state, max_inboxes=limit, current_inboxes=limit)
