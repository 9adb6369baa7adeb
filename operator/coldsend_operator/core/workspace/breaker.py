"""The circuit breaker of a workspace: a refused key, a missing scope, a plan limit, or ColdSend being down.

Failures are isolated (rule 41): a plan limit or an error stops others only after calls for two different objects failed
so, or a call that names none. Failures within one namespace stop no creates and deletes of other namespaces.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.core.model.calls import Operation, Scope
from coldsend_operator.core.model.pauses import doubled
from coldsend_operator.core.model.reasons import Reason

FAILURES_TO_OPEN = 3
HASTEN_PAUSE = 15.0  # at most this often by annotation
_ASKED_AGAIN = "The operator tries again after {}, and immediately when the annotation coldsend.pro/reconcile changes."
ASKED_AGAIN = _ASKED_AGAIN.format("1 to 10 minutes")
PLAN_ASKED_AGAIN = _ASKED_AGAIN.format("5 to 60 minutes")
USER_CAN_FIX = frozenset({Reason.UNAUTHORIZED, Reason.MISSING_SCOPES, Reason.PLAN_LIMIT})  # in ColdSend
BY_NAMESPACE = frozenset({Scope.CREATE, Scope.DELETE})  # whose calls can be planned by namespace
WRITING = frozenset({Scope.CREATE, Scope.DELETE, Scope.MAIL})
POLLS = frozenset({Operation.POLL_CREATE_JOB, Operation.POLL_DELETE_JOB})
ABOUT_THE_CALL = frozenset({FailureKind.REFUSED, FailureKind.CONFLICT, FailureKind.TOO_LARGE})
MISROUTED = (
    "The server at COLDSEND_API_URL does not answer as the ColdSend API ({status}); check the URL. The last known "
    "values stay, and the operator retries automatically."
)


@dataclass(slots=True)
class BlockedCalls:
    """Calls of one scope wait until `until`; then one probe leaves, and its response decides (half-open)."""

    reason: Reason
    message: str
    until: float
    since: float
    namespaces: frozenset[str] = frozenset()  # it applies to calls for these namespaces; empty: to all calls
    tries: int = 1
    probing: bool = False
    hastened_at: float = 0.0

    def holds(self, namespaces: frozenset[str]) -> bool:
        """Whether a call for objects of these namespaces has to wait."""
        return not self.namespaces or not self.namespaces.isdisjoint(namespaces)


@dataclass(slots=True)
class Streak:
    """Failures in a row. `common_objects` are the objects that all failed calls had in common: one may be the cause.

    `namespaces` likewise.
    """

    count: int = 0
    since: float = 0.0
    common_objects: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()

    def add(self, about: frozenset[str], namespaces: frozenset[str], now: float) -> None:
        if not self.count:
            self.since, self.common_objects, self.namespaces = now, about, namespaces
        self.count += 1
        self.common_objects &= about
        self.namespaces &= namespaces

    @property
    def long(self) -> bool:
        return self.count >= FAILURES_TO_OPEN

    @property
    def of_one(self) -> bool:
        """Whether one object may be the cause of all failures."""
        return bool(self.common_objects)


def of_domain(operation: Operation, failure: Failure) -> bool:
    """Whether a 403 may be about the domain of one native inbox, which concerns no other (contract row 27)."""
    return operation is Operation.CREATE_NATIVE and failure.status == 403


class Breaker:
    """Blocks by scope. `Scope.ALL` includes the others."""

    def __init__(self) -> None:
        self.blocks: dict[Scope, BlockedCalls] = {}
        self.misrouted = False  # the server is not the API: a 404 of an id proves nothing (rule 32)
        self._errors: dict[Scope, Streak] = {}  # of 5xx and lost responses; ALL: of any operation
        self._plan_limits: dict[Scope, Streak] = {}

    def allows(self, operation: Operation, now: float, namespaces: frozenset[str]) -> bool:
        return all(now >= block.until and not block.probing for block in self._holding(operation, namespaces))

    def free_at(self, operation: Operation, namespaces: frozenset[str]) -> float:
        """When the next probe may leave; 0 if nothing is blocked."""
        return max((block.until for block in self._holding(operation, namespaces)), default=0.0)

    def block_of(self, operation: Operation, namespaces: frozenset[str] | None = None) -> BlockedCalls | None:
        """The block for a call for objects of these namespaces; None: of any namespace."""
        return next(self._holding(operation, namespaces), None)

    def held(self, scope: Scope) -> frozenset[str]:
        """The namespaces that wait while others are served."""
        block = self.blocks.get(scope)
        return block.namespaces if block is not None else frozenset()

    def _holding(self, operation: Operation, namespaces: frozenset[str] | None) -> Iterator[BlockedCalls]:
        for scope in (Scope.ALL, operation.scope):
            block = self.blocks.get(scope)
            if block is not None and (namespaces is None or block.holds(namespaces)):
                yield block

    @property
    def key_refused(self) -> bool:
        """Whether ColdSend refuses the key as such."""
        return self._blocked(Scope.ALL, Reason.UNAUTHORIZED)

    def hasten(self, now: float) -> None:
        """A person says that the key or the plan allows it now: try it at once."""
        for block in self.blocks.values():
            if block.reason in USER_CAN_FIX and not block.probing and now >= block.hastened_at + HASTEN_PAUSE:
                block.until, block.hastened_at = min(block.until, now), now

    @property
    def down(self) -> bool:
        """Whether ColdSend counts as down for all: a page of the list shows when it is back."""
        return self._blocked(Scope.ALL, Reason.API_UNAVAILABLE)

    def _blocked(self, scope: Scope, reason: Reason) -> bool:
        block = self.blocks.get(scope)
        return block is not None and block.reason is reason

    @property
    def doubtful(self) -> bool:
        """Whether only one object meets errors: a page of the list shows whether it is the server."""
        return Scope.ALL not in self.blocks and Scope.ALL in self._errors and self._errors[Scope.ALL].long

    def failing(self, operation: Operation, namespaces: frozenset[str]) -> bool:
        """Whether errors of this operation count as errors of the server for all objects of these namespaces."""
        block = self.block_of(operation, namespaces)
        return block is not None and block.reason is Reason.API_UNAVAILABLE

    def start(self, operation: Operation, namespaces: frozenset[str]) -> None:
        """A call leaves: where calls are blocked, it is the probe."""
        for block in self._holding(operation, namespaces):
            block.probing = True

    def end_probe(self, operation: Operation, namespaces: frozenset[str]) -> None:
        """The probe has ended, or did not leave: another call may be the probe."""
        for block in self._holding(operation, namespaces):
            block.probing = False

    def succeed(self, operation: Operation) -> bool:
        """A response shows that the key and ColdSend work. Returns True if a block ended."""
        self.misrouted = False
        for scope in (Scope.ALL, operation.scope):
            self._errors.pop(scope, None)
        self._plan_limits.pop(operation.scope, None)
        fell = self.blocks.pop(Scope.ALL, None) is not None
        return self.blocks.pop(operation.scope, None) is not None or fell

    def fail(
        self,
        operation: Operation,
        failure: Failure,
        now: float,
        about: frozenset[str] = frozenset(),
        namespaces: frozenset[str] = frozenset(),
    ) -> bool:
        """Record a failed call. Returns True if the state that users see changed.

        `about` are the objects of the call with their namespaces; empty for a call about none in
        particular.
        """
        changed = self._judge(operation, failure, now, about, namespaces)
        self.end_probe(operation, namespaces)  # whatever the probe met, the next one may leave in its time
        return changed

    def _judge(
        self, operation: Operation, failure: Failure, now: float, about: frozenset[str], namespaces: frozenset[str]
    ) -> bool:
        scope = operation.scope
        match failure.kind:
            case FailureKind.UNAUTHORIZED:
                return self._block(Scope.ALL, Reason.UNAUTHORIZED, _refused_key(failure), now, 60.0, 600.0)
            case FailureKind.FORBIDDEN | FailureKind.PLAN_LIMIT if operation in POLLS:
                return False  # of one job, perhaps of another workspace; a list tells whether the key may read
            case FailureKind.FORBIDDEN:
                return self._block(scope, Reason.MISSING_SCOPES, _missing(failure), now, 60.0, 600.0)
            case FailureKind.PLAN_LIMIT if scope is not Scope.DOMAINS and not of_domain(operation, failure):
                streak = self._plan_limits.setdefault(scope, Streak())
                streak.add(about, namespaces, now)
                if streak.of_one and not self._blocked(scope, Reason.PLAN_LIMIT):
                    return False
                if scope not in BY_NAMESPACE and streak.namespaces:
                    return False  # each probe is paced by itself (rule 42); a page of the list tells more
                message = f"{beyond_plan(failure)} {PLAN_ASKED_AGAIN}"
                return self._block(scope, Reason.PLAN_LIMIT, message, now, 300.0, 3600.0, streak)
            case FailureKind.MISROUTED:
                return self._count(Scope.ALL, failure, about, namespaces, now)
            case FailureKind.NOT_SENT:
                return self._count(Scope.ALL, failure, frozenset(), frozenset(), now)
            case FailureKind.UNAVAILABLE | FailureKind.LOST if scope is Scope.DOMAINS:
                return False  # it is paced by itself; a page of the list tells whether ColdSend is down
            case FailureKind.UNAVAILABLE | FailureKind.LOST:
                changed = self._count(Scope.ALL, failure, about, namespaces, now)
                return (scope in WRITING and self._count(scope, failure, about, namespaces, now)) or changed
            case FailureKind.RATE_LIMITED:
                return False
            case kind if kind in ABOUT_THE_CALL and operation is Operation.LIST_ACCOUNTS:
                return self._count(Scope.ALL, failure, about, namespaces, now)  # it asks for nothing that can be wrong
            case kind if kind in ABOUT_THE_CALL and scope not in WRITING:
                return False  # a refused probe proves neither that ColdSend is down nor that it is up
        return self.succeed(operation)

    def _count(
        self, scope: Scope, failure: Failure, about: frozenset[str], namespaces: frozenset[str], now: float
    ) -> bool:
        streak = self._errors.setdefault(scope, Streak())
        streak.add(about, namespaces, now)
        misrouted = failure.kind is FailureKind.MISROUTED
        if misrouted:
            streak.count = max(streak.count, FAILURES_TO_OPEN)
        blocked = self._blocked(scope, Reason.API_UNAVAILABLE)
        if not blocked and (not streak.long or streak.of_one):
            return False
        if blocked and misrouted == self.misrouted:
            message = self.blocks[scope].message  # one cause after the other is no news for thousands of objects
        elif scope is Scope.ALL:
            message = _down(failure)
        else:
            message = f"ColdSend fails all {scope} calls; the operator retries them automatically."
        if scope is Scope.ALL:
            self.misrouted = misrouted
        return self._block(scope, Reason.API_UNAVAILABLE, message, now, 2.0, 60.0, streak)

    def _block(
        self,
        scope: Scope,
        reason: Reason,
        message: str,
        now: float,
        first: float,
        longest: float,
        streak: Streak | None = None,
    ) -> bool:
        old = self.blocks.get(scope)
        namespaces = streak.namespaces if streak is not None and scope in BY_NAMESPACE else frozenset[str]()
        if old is None or old.reason is not reason or (old.namespaces and not namespaces):
            self.blocks[scope] = BlockedCalls(
                reason, message, now + first, streak.since if streak is not None else now, namespaces
            )
            return True
        if old.probing or now >= old.until:
            old.until = now + doubled(first, old.tries, longest)
            old.tries += 1
        changed = old.message != message
        old.message = message
        return changed


def _down(failure: Failure) -> str:
    """Why nothing can be asked of ColdSend."""
    if failure.kind is FailureKind.MISROUTED:
        return MISROUTED.format(status=failure.status)
    if failure.kind in ABOUT_THE_CALL:
        said = f"ColdSend refuses to list the inboxes ({failure.message.rstrip('. ')})"
    elif failure.kind is FailureKind.NOT_SENT and failure.message:
        said = failure.message[0].upper() + failure.message[1:].rstrip(". ")  # a name, a proxy or a CA that is wrong
    elif failure.status is None:
        said = "ColdSend does not answer"
    elif failure.status < 300:
        said = "The operator cannot read the answers of ColdSend, or of what stands at COLDSEND_API_URL"
    elif failure.kind is FailureKind.UNAVAILABLE and failure.status < 500:
        said = f"A server before ColdSend, such as a proxy or firewall, answers HTTP {failure.status}"
    else:
        said = f"ColdSend is not available: it answers HTTP {failure.status}"
    return f"{said}; the last known values stay, and the operator retries automatically."


def beyond_plan(failure: Failure) -> str:
    return f"The ColdSend plan of this workspace does not allow this: {failure.message.rstrip('. ')}."


def _refused_key(failure: Failure) -> str:
    said = f" ({failure.message})" if failure.message else ""
    valid = "provide a valid one (keys of ColdSend begin with cs_live_), which is picked up automatically"
    return f"ColdSend refuses the API key{said}; {valid}. {ASKED_AGAIN}"


def _missing(failure: Failure) -> str:
    """The message of ColdSend if it does not list the scopes."""
    if not failure.required:
        return f"The API key lacks a scope ({failure.message}); grant it in ColdSend. {ASKED_AGAIN}"
    return f"The API key lacks a scope; grant {', '.join(failure.required)} to it in ColdSend. {ASKED_AGAIN}"
