"""The status of SenderAccounts: what `core.status` says, when the API server holds something else."""

import asyncio
from collections.abc import Callable

from coldsend_operator.accounts.clients import Clients
from coldsend_operator.core.decide.questions import came_from
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.conditions import reasons
from coldsend_operator.core.model.pauses import FIRST_REWRITE
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.stored_status import account_status, from_text
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.core.status.projection import project
from coldsend_operator.core.status.stored import stored_of
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.kube.events import emit
from coldsend_operator.kube.objects import version_number
from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.status import WrittenStatus
from coldsend_operator.kube.status_writer import EventType, StatusChange, StatusWriter
from coldsend_operator.logs import Event, log
from coldsend_operator.resources.names import ACCOUNT_KIND

MAX_DRAIN_SECONDS = 5.0
CONTESTED = (
    "Somebody else keeps changing the status of this object, so it is written less often. Does a second operator watch "
    "this namespace? Each namespace may have one"
)
# Priorities: first what must be stored before the next call, then news, last expected times.
TO_BE_STORED, NEWS, QUIET = range(3)
NOT_REPORTED = frozenset(
    {
        Reason.IN_SYNC,
        Reason.HEALTH_SCORE_GOOD,
        Reason.HEALTH_SCORE_UNKNOWN,
        Reason.PROVISIONING,
        Reason.SECRET_UNCHANGED,
        Reason.CREDENTIALS_UNKNOWN,
    }
)
"""Reasons that need no Event when they are the first of a condition, or follow one of BEGINNINGS."""
BEGINNINGS = frozenset({None, Reason.PROVISIONING, Reason.HEALTH_SCORE_UNKNOWN})
ROUTINE = frozenset(
    {
        Reason.PROVISIONING,
        Reason.PENDING,
        Reason.RECREATING,
        Reason.DELETING,
        Reason.HANDED_OVER,
        Reason.RECONCILIATION_PAUSED,
    }
)
"""Reasons of a condition that is False in the normal course, or by the wish of the user: no warning."""


def ref_of(account: Account) -> Ref:
    desired = account.desired
    return Ref(ACCOUNT_KIND, desired.namespace, desired.name, desired.uid)


class AccountStatusWriter(StatusWriter[Account]):
    """Writes the changed statuses of one workspace."""

    def __init__(self, workspace: Workspace, clients: Clients, wake: Callable[[], None]) -> None:
        super().__init__(clients.status_kube, clients.clock, clients.set_aside, wake)
        self._workspace = workspace
        self._metrics = clients.metrics

    def flush(self) -> None:
        """Queue each account whose status may have to change, and start as many writes as allowed."""
        changed, self._workspace.changed = self._workspace.changed, set()
        for account in filter(None, map(self.find, changed)):
            self.queue.add(account.uid, self._urgency(account))
        super().flush()

    def _urgency(self, account: Account) -> int:
        if account.stored != account.confirmed:
            return TO_BE_STORED
        decision = self._workspace.decisions.get(account.uid)
        return QUIET if decision is not None and decision.quiet else NEWS

    def again(self, uid: str) -> None:
        self._workspace.changed.add(uid)
        self.wake()

    def find(self, uid: str) -> Account | None:
        return self._workspace.accounts.get(uid)

    def ref_of(self, item: Account) -> Ref:
        return ref_of(item)

    def change_of(self, item: Account) -> StatusChange | None:
        status = project(item, self._workspace, self._clock())
        if status is None:
            return None
        status = self._kube.pruning.without(ACCOUNT_KIND, status)
        if status != (old := from_text(item.raw_status)):
            return None if self._is_contested(item) else StatusChange(ref_of(item), old, status)
        if item.stored != item.confirmed and not self._kube.pruning.lost(ACCOUNT_KIND):
            self._workspace.status_stored(item.uid, item.stored)
        return None

    def _is_contested(self, item: Account) -> bool:
        """Whether the write waits, as somebody else keeps writing the status of the object."""
        now = self._clock()
        if item.written_status not in {0, hash(item.raw_status)}:
            pause = transitions.status_overwritten(item, now)
            if pause:
                asyncio.get_running_loop().call_later(pause, self.again, item.uid)
            if pause == FIRST_REWRITE:
                desired = item.desired
                log.warning(Event.STATUS_CONTESTED, namespace=desired.namespace, name=desired.name, message=CONTESTED)
        return now < item.status_kept_until

    async def stored(self, item: Account, change: StatusChange, written: WrittenStatus) -> None:
        before, after = change.old, change.new
        if written.resource_version is not None:
            transitions.written(item, version_number(written.resource_version))
        self._learn()
        status = account_status(written.status)
        transitions.status_kept(item, status)
        transitions.status_written(item)
        if before.get("emailsSentToday") != after.get("emailsSentToday"):
            transitions.counter_written(item, self._clock())
        self._workspace.status_stored(item.uid, stored_of(status))
        if after.get("handedOverFrom") not in (None, before.get("handedOverFrom")):
            await self._report_hand_over(item)
        self._measure_ready(item, change)
        await self.report_reasons(change, self._workspace.policy.notes(item.desired), workspace=self._workspace.digest)

    def _learn(self) -> None:
        """Tell all decisions which fields an older CRD drops (rule 35)."""
        lost = frozenset(name.partition(".")[0] for name in self._kube.pruning.lost(ACCOUNT_KIND))
        if lost != self._workspace.policy.lost_fields:
            self._workspace.policy.lost_fields = lost
            self._workspace.touch_everything()

    def _measure_ready(self, account: Account, change: StatusChange) -> None:
        was, is_now = (reasons(status).get("Ready", ("", "", ""))[0] for status in (change.old, change.new))
        if is_now == "True" and was != "True" and "inboxID" not in change.old:
            created = unix_of(account.desired.created) or self._clock()
            self._metrics.account_ready(max(0.0, self._clock() - created + self._kube.clock_offset))

    def is_reported(self, kind: str, reason: str, before: str | None) -> bool:  # noqa: ARG002 - the same for each kind
        return not (before in BEGINNINGS and reason in NOT_REPORTED)

    def event_type(self, state: str, reason: str) -> EventType:
        return "Warning" if state == "False" and reason not in ROUTINE else "Normal"

    async def _report_hand_over(self, account: Account) -> None:
        """A log line, and an Event on both objects."""
        former, desired = account.stored.handed_over_from, account.desired
        if former is None:
            return
        others = [other for other in self._workspace.claims.same_inbox(account) if came_from(account, other)]
        new, old = f"{desired.namespace}/{desired.name}", f"{former.namespace}/{former.name}"
        log.info(
            Event.INBOX_HANDED_OVER,
            namespace=desired.namespace,
            name=desired.name,
            workspace=self._workspace.digest,
            former=old,
        )
        message = f"The inbox was handed over from SenderAccount {old} with its history; ColdSend was not called."
        await emit(self._kube, ref_of(account), "Normal", Reason.HANDED_OVER, message, "HandOver")
        for other in others:
            message = f"The inbox was handed over to SenderAccount {new} and stays in ColdSend."
            await emit(self._kube, ref_of(other), "Normal", Reason.HANDED_OVER, message, "HandOver")

    async def drain(self) -> None:
        """Write what is left, except expected times; what takes too long is written after the restart."""
        self._least_urgent = NEWS
        until = self._clock() + MAX_DRAIN_SECONDS
        while (self.tasks or self.queue.ready(NEWS)) and self._clock() < until:
            await self.tasks.wait_for_one()
            self.flush()
        await super().drain()
