"""One workspace of the core goes on, round by round, until nothing is left to do: its calls, writes and waits."""

from collections import Counter
from dataclasses import dataclass, field

from coldsend_operator.core import folding
from coldsend_operator.core.calls import Call, Operation, Scope
from coldsend_operator.core.deciding import ask_brake_for_all, settle
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning import Candidate, Plan, make_plan
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account, Credentials, Facts
from coldsend_operator.core.steps import Move, Step
from coldsend_operator.core.steps.differences import spec_changed
from coldsend_operator.resources.names import FINALIZER
from coldsend_operator.tools.plan.coldsend import ModelOfColdSend

LATENCY = 0.3  # seconds of a call
LONGEST_REST = 3_700.0  # seconds without a change, after which none will come: longer than the window of the hour
LONGEST_PLAN = 30 * 86_400.0
MOST_BOOKED = 1_000
_PASSING = frozenset({None, Reason.PROVISIONING, Reason.RECREATING, Reason.DELETING, Reason.HANDED_OVER})
UNREAD = "unread-0"  # the digest of a password that nobody has read
SPEC, SECRET = "spec", "secret"


@dataclass(slots=True)
class Past:
    """What happened to one account on the way."""

    account: Account
    at_first: Facts
    called_for: set[Scope] = field(default_factory=set)
    difference: str = ""  # why its inbox is replaced: `spec` or `secret`
    taken_over_by: Account | None = None
    gone: bool = False


@dataclass(slots=True)
class Rehearsal:
    """What the core did. `requests` counts calls, without the lists that are made now and then anyway."""

    ledger: Ledger
    coldsend: ModelOfColdSend
    now: float
    pasts: dict[str, Past] = field(default_factory=dict)
    requests: Counter[Operation] = field(default_factory=Counter)
    begun: float = 0.0
    done_at: float = 0.0  # when the last call that changes something was answered

    def run(self) -> None:
        """From a start of the operator to the end of all work."""
        ledger = self.ledger
        self.begun = self.done_at = moved = self.now
        self.pasts = {uid: Past(account, account.facts) for uid, account in ledger.accounts.items()}
        ledger.resume(self.now)
        for ref in ledger.refs:
            ledger.trust.settle(ref, ledger.digests)
        ask_brake_for_all(ledger, self.now)
        while self.now < self.begun + LONGEST_PLAN:
            settle(ledger, self.now)
            if self._write():
                moved = self.now
                continue
            if ledger.inventory.swept_at >= self.done_at and not self._is_busy():
                return  # a list that began after the last change has shown it to those that only observe
            plan = self._plan()
            if plan.calls:
                moved = self.now if self._call(plan.calls) else moved
            elif plan.wake_at is None or self.now > moved + LONGEST_REST:
                return
            else:
                self.now = max(plan.wake_at, self.now + 0.01)

    def _plan(self) -> Plan:
        self.ledger.budget.booked = MOST_BOOKED
        return make_plan(self.ledger, self.now)

    # -- whether anything is left

    def _is_busy(self) -> bool:
        ledger = self.ledger
        if ledger.dirty or ledger.flying or ledger.jobs or ledger.chores:
            return True
        return any(_is_moving(step) for step in ledger.steps.values())

    # -- writes to Kubernetes

    def _write(self) -> bool:
        """Finalizers and status are stored at once; whether there was anything to store."""
        ledger, wrote = self.ledger, bool(self.ledger.stale_secrets)
        for uid in ledger.stale_secrets:
            account = ledger.accounts[uid]
            applied = account.facts.applied
            sent = applied.credentials_hash if applied is not None else None
            account.credentials = Credentials(sent or UNREAD)  # no Secret is read: it counts as unchanged
            ledger.touch(uid)
        ledger.stale_secrets.clear()
        for uid, move in list(ledger.chores.items()):
            self._chore(ledger.accounts[uid], move)
            wrote = True
        for uid in ledger.changed:
            changed = ledger.accounts.get(uid)
            if changed is not None and changed.facts != changed.recorded:
                ledger.stored(uid, changed.facts)
                wrote = True
        ledger.changed.clear()
        return wrote

    def _chore(self, account: Account, move: Move) -> None:
        ledger = self.ledger
        if move is Move.MARK:
            folding.marked(ledger, account, (FINALIZER, *self._marks(account)))
            return
        folding.unmarked(ledger, account)
        if account.desired.deleting is not None and move is not Move.FORGET:
            past = self.pasts[account.uid]
            holders = ledger.claims.holders(account.facts.inbox_id or "", account.uid)
            past.gone, past.taken_over_by = True, next(iter(holders), None)
            ledger.depart(account.uid, self.now)

    def _marks(self, account: Account) -> tuple[str, ...]:
        if not account.create_unknown or account.since is None:
            return ()
        return (self.ledger.policy.create_marks.text(account.uid, account.since),)

    # -- calls to ColdSend

    def _call(self, candidates: tuple[Candidate, ...]) -> bool:
        """Let these leave and be answered; whether any of them changes something."""
        calls = [self._launch(candidate) for candidate in candidates]
        self.now += LATENCY
        for call in calls:
            folding.fold(self.ledger, call, self.coldsend.answer(call, self.ledger, self.now), self.now)
        changing = any(call.writes for call in calls)
        if changing:
            self.done_at = self.now
        return changing

    def _launch(self, candidate: Candidate) -> Call:
        ledger = self.ledger
        for uid in candidate.uids:
            self._remember(ledger.accounts[uid], candidate.operation)
        call = folding.launch(ledger, candidate, self.now)
        if call.operation is not Operation.LIST_ACCOUNTS or call.newest:
            self.requests[call.operation] += 1
        if call.operation.deletes:
            ledger.brake.leave(call.uids, self.now)
        for uid in call.uids if call.operation.creates else ():
            account = ledger.accounts[uid]
            account.sent = (account.desired.spec.hash, account.credentials.digest if account.credentials else None)
            account.sent_name = account.desired.spec.display_name
            account.since = float(int(self.now))
            folding.marked(ledger, account, (FINALIZER, *self._marks(account)))
        return folding.leave(ledger, call, self.now) if call.operation.creates else call

    def _remember(self, account: Account, operation: Operation) -> None:
        past = self.pasts[account.uid]
        past.called_for.add(operation.scope)
        row = self.ledger.inventory.rows.get(account.facts.inbox_id or "")
        if operation.deletes and account.desired.deleting is None and row is not None:
            past.difference = SPEC if spec_changed(account, row) else SECRET


def _is_moving(step: Step) -> bool:
    """Whether waiting brings the account further; what a person or ColdSend must do first is no work of ours."""
    if step.reason not in _PASSING:
        return False
    return step.move is not Move.REST or step.quiet or step.reason is not None
