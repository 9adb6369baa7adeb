"""What stops the calls of a whole workspace: a refused key, a missing scope, a plan limit, ColdSend being down."""

from dataclasses import dataclass

from coldsend_operator.core.answers import Failure, FailureKind
from coldsend_operator.core.calls import Operation, Scope
from coldsend_operator.core.reasons import Reason

FAILURES_TO_OPEN = 3
HASTEN_PAUSE = 15.0  # an annotation that changes all the time asks no more often
ASKED_AGAIN = "It is asked again after 1 to 10 minutes, at once when the annotation coldsend.pro/reconcile changes."


@dataclass(slots=True)
class Block:
    """Calls of one scope wait until `until`; then one goes alone, and its answer decides (half-open)."""

    reason: Reason
    message: str
    until: float
    since: float
    tries: int = 1
    probing: bool = False
    hastened_at: float = 0.0


def of_domain(operation: Operation, failure: Failure) -> bool:
    """Whether a 403 may be about the domain of one native inbox, which is nobody else's business (contract row 27)."""
    return operation is Operation.CREATE_NATIVE and failure.status == 403


class Breaker:
    """Blocks by scope. `Scope.ALL` stands above the others."""

    def __init__(self) -> None:
        self.blocks: dict[Scope, Block] = {}
        self._row = 0  # failures in a row that say ColdSend is down
        self._down_since = 0.0

    def allows(self, operation: Operation, now: float) -> bool:
        return all(
            now >= block.until and not block.probing
            for scope in (Scope.ALL, operation.scope)
            if (block := self.blocks.get(scope)) is not None
        )

    def free_at(self, operation: Operation) -> float:
        """When the next probe may leave; 0 when nothing is blocked."""
        found = [self.blocks[scope] for scope in (Scope.ALL, operation.scope) if scope in self.blocks]
        return max((block.until for block in found), default=0.0)

    def block_of(self, operation: Operation) -> Block | None:
        return self.blocks.get(Scope.ALL) or self.blocks.get(operation.scope)

    @property
    def key_refused(self) -> bool:
        block = self.blocks.get(Scope.ALL)
        return block is not None and block.reason is Reason.UNAUTHORIZED

    def hasten(self, now: float) -> None:
        """A person says that the key is good now: ask ColdSend at once."""
        for block in self.blocks.values():
            hopeful = block.reason in {Reason.UNAUTHORIZED, Reason.MISSING_SCOPES}
            if hopeful and not block.probing and now >= block.hastened_at + HASTEN_PAUSE:
                block.until, block.hastened_at = min(block.until, now), now

    def start(self, operation: Operation) -> None:
        for scope in (Scope.ALL, operation.scope):
            if scope in self.blocks:
                self.blocks[scope].probing = True

    def cancel(self, operation: Operation) -> None:
        """The call that was to be the probe did not leave: another may."""
        self._end_probe(operation)

    def succeed(self, operation: Operation) -> bool:
        """An answer that shows the key and ColdSend at work; True when a block fell."""
        self._row = 0
        fell = self.blocks.pop(Scope.ALL, None) is not None
        return self.blocks.pop(operation.scope, None) is not None or fell

    def fail(self, operation: Operation, failure: Failure, now: float) -> bool:
        """Take a failed call in; True when what users should know has changed."""
        changed = self._judge(operation, failure, now)
        self._end_probe(operation)  # whatever it was that this probe met, the next one may leave in its time
        return changed

    def _judge(self, operation: Operation, failure: Failure, now: float) -> bool:
        match failure.kind:
            case FailureKind.UNAUTHORIZED:
                return self._block(Scope.ALL, Reason.UNAUTHORIZED, _refused_key(failure), now, 60.0, 600.0)
            case FailureKind.FORBIDDEN:
                return self._block(operation.scope, Reason.MISSING_SCOPES, _missing(failure), now, 60.0, 600.0)
            case FailureKind.PLAN_LIMIT if operation.scope is not Scope.DOMAINS and not of_domain(operation, failure):
                message = f"ColdSend refuses for the plan of this workspace: {failure.message}"
                return self._block(operation.scope, Reason.PLAN_LIMIT, message, now, 300.0, 3600.0)
            case FailureKind.UNAVAILABLE | FailureKind.NOT_SENT | FailureKind.LOST:
                return self._count(now)
            case FailureKind.RATE_LIMITED:
                return False
        return self.succeed(operation)

    def _count(self, now: float) -> bool:
        if self._row == 0:
            self._down_since = now
        self._row += 1
        if self._row < FAILURES_TO_OPEN:
            return False
        message = "ColdSend does not answer; the last known values stay, and calls are tried again by themselves."
        return self._block(Scope.ALL, Reason.API_UNAVAILABLE, message, now, 2.0, 60.0, since=self._down_since)

    def _block(
        self, scope: Scope, reason: Reason, message: str, now: float, first: float, longest: float, since: float = 0.0
    ) -> bool:
        old = self.blocks.get(scope)
        if old is None or old.reason is not reason:
            self.blocks[scope] = Block(reason, message, now + first, since or now)
            return True
        if old.probing or now >= old.until:
            old.until = now + min(first * 2**old.tries, longest)
            old.tries += 1
        old.probing = False
        changed = old.message != message
        old.message = message
        return changed

    def _end_probe(self, operation: Operation) -> None:
        for scope in (Scope.ALL, operation.scope):
            if scope in self.blocks:
                self.blocks[scope].probing = False


def _refused_key(failure: Failure) -> str:
    said = f" ({failure.message})" if failure.message else ""
    return f"ColdSend refuses the API key{said}; give a valid key, it is taken up by itself. {ASKED_AGAIN}"


def _missing(failure: Failure) -> str:
    return f"The API key lacks a scope; grant {', '.join(failure.required)} to it in ColdSend. {ASKED_AGAIN}"
