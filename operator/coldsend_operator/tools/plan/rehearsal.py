"""Runs one workspace of the core, round by round, until nothing is left to do."""

from collections import Counter
from dataclasses import dataclass, field

from coldsend_operator.core import apply
from coldsend_operator.core.apply import patches
from coldsend_operator.core.decide import decide_changed
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.calls import Call, Operation, Scope
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.differences import spec_changed
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.stored import Stored
from coldsend_operator.core.plan import Plan, make_plan
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.resources.names import FINALIZER
from coldsend_operator.tools.plan.coldsend import ModelOfColdSend

LATENCY = 0.3  # duration of a call in seconds
MAX_IDLE_SECONDS = 3_700.0  # seconds without a change, after which none will come: longer than the window of the hour
MAX_PLAN_SECONDS = 30 * 86_400.0
MAX_BOOKED = 1_000
_PASSING = frozenset({None, Reason.PROVISIONING, Reason.RECREATING, Reason.DELETING, Reason.HANDED_OVER})
UNREAD = "unread-0"  # the digest of an unread password
SPEC, SECRET = "spec", "secret"


@dataclass(slots=True)
class Past:
    """What happened to one account in the rehearsal."""

    account: Account
    at_first: Stored
    credentials: Credentials | None = None  # what is known of its Secrets
    called_for: set[Scope] = field(default_factory=set)
    difference: str = ""  # why its inbox is replaced: `spec` or `secret`
    taken_over_by: Account | None = None
    gone: bool = False


@dataclass(slots=True)
class Rehearsal:
    """What the core did. `requests` counts calls, without the periodic lists."""

    workspace: Workspace
    coldsend: ModelOfColdSend
    now: float
    pasts: dict[str, Past] = field(default_factory=dict)
    requests: Counter[Operation] = field(default_factory=Counter)
    begun: float = 0.0
    done_at: float = 0.0  # when the last call that changes something was answered

    def run(self) -> None:
        """Run from a start of the operator to the end of all work."""
        workspace = self.workspace
        self.begun = self.done_at = changed_at = self.now
        self.pasts = {
            uid: Past(account, account.stored, account.credentials) for uid, account in workspace.accounts.items()
        }
        workspace.resume(self.now)
        for ref in workspace.refs:
            workspace.trust.settle(ref, workspace.digests)
        while self.now < self.begun + MAX_PLAN_SECONDS:
            decide_changed(workspace, self.now)
            if self._write():
                changed_at = self.now
                continue
            if workspace.inventory.swept_at >= self.done_at and not self._is_busy():
                return  # a list that began after the last change has shown it to those that only observe
            plan = self._plan()
            if plan.calls:
                changed_at = self.now if self._call(plan.calls) else changed_at
            elif plan.wake_at is None or self.now > changed_at + MAX_IDLE_SECONDS:
                return
            else:
                self.now = max(plan.wake_at, self.now + 0.01)

    def _plan(self) -> Plan:
        self.workspace.budget.booked = MAX_BOOKED
        return make_plan(self.workspace, self.now)

    # -- whether anything is left

    def _is_busy(self) -> bool:
        workspace = self.workspace
        if workspace.dirty or workspace.in_flight or workspace.jobs or workspace.patches:
            return True
        return any(_is_passing(decision) for decision in workspace.decisions.values())

    # -- writes to Kubernetes

    def _write(self) -> bool:
        """Store finalizers and status at once. Returns whether there was anything to store."""
        workspace, wrote = self.workspace, bool(self.workspace.stale_secrets)
        for uid in workspace.stale_secrets:
            account = workspace.accounts[uid]
            transitions.secret_read(account, self.pasts[uid].credentials or _as_sent(account))
            workspace.touch(uid)
        workspace.stale_secrets.clear()
        for uid, action in list(workspace.patches.items()):
            self._patch(workspace.accounts[uid], action)
            wrote = True
        for uid in workspace.changed:
            changed = workspace.accounts.get(uid)
            if changed is not None and changed.stored != changed.confirmed:
                workspace.status_stored(uid, changed.stored)
                wrote = True
        workspace.changed.clear()
        return wrote

    def _patch(self, account: Account, action: Action) -> None:
        workspace = self.workspace
        if action is Action.ADD_FINALIZER:
            patches.finalizers_added(workspace, account, (FINALIZER, *self._marks(account)))
            return
        patches.finalizers_removed(workspace, account)
        if account.desired.deleting is not None and action is not Action.FORGET:
            past = self.pasts[account.uid]
            holders = workspace.claims.inbox_owners(account.stored.inbox_id or "", account.uid)
            past.gone, past.taken_over_by = True, next(iter(holders), None)
            workspace.depart(account.uid, self.now)

    def _marks(self, account: Account) -> tuple[str, ...]:
        if not account.create_pending or account.marked_at is None:
            return ()
        return self.workspace.policy.create_marks.texts(account.uid, account.marked_at, account.repeated_mark)

    # -- calls to ColdSend

    def _call(self, planned: tuple[Call, ...]) -> bool:
        """Execute these calls. Returns whether any of them changes something."""
        calls = [self._launch(call) for call in planned]
        self.now += LATENCY
        for call in calls:
            apply.fold(self.workspace, call, self.coldsend.answer(call, self.workspace, self.now), self.now)
        changing = any(call.writes for call in calls)
        if changing:
            self.done_at = self.now
        return changing

    def _launch(self, planned: Call) -> Call:
        workspace = self.workspace
        for uid in planned.uids:
            self._remember(workspace.accounts[uid], planned.operation)
        call = apply.launch(workspace, planned, self.now)
        if not call.sweeps:
            self.requests[call.operation] += 1
        if call.operation.deletes:
            workspace.brake.leave(call.uids, self.now)
        for uid in call.uids if call.operation.creates else ():
            account = workspace.accounts[uid]
            transitions.create_prepared(account, account.credentials.digest if account.credentials else None)
            transitions.marked(account, float(int(self.now)))
            patches.finalizers_added(workspace, account, (FINALIZER, *self._marks(account)))
        return apply.leave(workspace, call, self.now) if call.operation.creates else call

    def _remember(self, account: Account, operation: Operation) -> None:
        past = self.pasts[account.uid]
        past.called_for.add(operation.scope)
        row = self.workspace.inventory.row(account.stored.inbox_id)
        if operation.deletes and account.desired.deleting is None and row is not None:
            past.difference = SPEC if spec_changed(account, row) else SECRET


def _is_passing(decision: Decision) -> bool:
    """Whether waiting alone helps the account, without an action of a person or of ColdSend."""
    if decision.reason not in _PASSING:
        return False
    return decision.action is not Action.WAIT or decision.quiet or decision.reason is not None


def _as_sent(account: Account) -> Credentials:
    """Passwords for an account whose Secrets could not be read."""
    return Credentials(account.stored.sent_credentials or UNREAD)
