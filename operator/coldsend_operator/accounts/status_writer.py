"""The one writer of SenderAccount status: what `core.status` says, when the API server holds something else."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from coldsend_operator.core.decide.questions import came_from
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.conditions import new_notes, reasons
from coldsend_operator.core.model.reasons import ANNOTATION_IGNORED, Reason
from coldsend_operator.core.model.stored_status import from_text, to_text
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.core.status.projection import project, stored_of
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.kube.client import KubeClient, Ref
from coldsend_operator.kube.events import emit
from coldsend_operator.kube.metadata import version_number
from coldsend_operator.kube.set_aside import REPORT, WRITE_STATUS, SetAside
from coldsend_operator.kube.status import write_status
from coldsend_operator.logs import Event, log

MOST_WRITES = 10  # at once
LONGEST_DRAIN = 5.0
SLICE = 500  # looks at accounts before others have their turn
UNTOLD = frozenset(
    {
        Reason.IN_SYNC,
        Reason.HEALTH_SCORE_GOOD,
        Reason.HEALTH_SCORE_UNKNOWN,
        Reason.PROVISIONING,
        Reason.SECRET_UNCHANGED,
        Reason.CREDENTIALS_UNKNOWN,
    }
)
"""Reasons that are no news as the first word about an object."""


def ref_of(account: Account) -> Ref:
    desired = account.desired
    return Ref("SenderAccount", desired.namespace, desired.name, desired.uid)


class StatusWriter:
    """Writes what changed in one workspace. `on_ready` hears the seconds from apply to the first Ready."""

    def __init__(
        self,
        kube: KubeClient,
        workspace: Workspace,
        clock: Callable[[], float],
        on_ready: Callable[[float], None],
        set_aside: SetAside,
    ) -> None:
        # Accounts whose status may have to change: first what must be stored before anything else may follow, then
        # news, last how long something waits.
        self._lines: tuple[dict[str, None], ...] = ({}, {}, {})
        self._kube = kube
        self._workspace = workspace
        self._clock = clock
        self._on_ready = on_ready
        self._set_aside = set_aside
        self._ending = False
        self._writing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.wake: Callable[[], None] = lambda: None

    def flush(self) -> None:
        """Line up every account whose status may have to change, and start as many writes as may be under way."""
        changed, self._workspace.changed = self._workspace.changed, set()
        for account in (self._workspace.accounts[uid] for uid in changed if uid in self._workspace.accounts):
            self._lines[self._urgency(account)][account.uid] = None
        later = []
        for _ in range(SLICE):
            uid = self._next() if len(self._tasks) < MOST_WRITES else None
            if uid is None:
                break
            if uid in self._writing:
                later.append(uid)
            elif uid in self._workspace.accounts:
                self._look_at(self._workspace.accounts[uid])
        else:
            self.wake()  # others have their turn between
        self._workspace.changed.update(later)

    def _urgency(self, account: Account) -> int:
        if account.stored != account.confirmed:
            return 0
        decision = self._workspace.decisions.get(account.uid)
        return 2 if decision is not None and decision.quiet else 1

    def _next(self) -> str | None:
        line = next(filter(None, self._lines[:-1] if self._ending else self._lines), None)
        if line is None:
            return None
        uid = next(iter(line))
        del line[uid]
        return uid

    def _look_at(self, account: Account) -> None:
        if self._set_aside.waits(account.uid, WRITE_STATUS):
            return
        with self._set_aside.trying(ref_of(account), REPORT, lambda: self._again(account.uid)):
            self._report(account)

    def _report(self, account: Account) -> None:
        status = project(account, self._workspace, self._clock())
        if status is None:
            return
        status = self._kube.pruning.without("SenderAccount", status)
        if to_text(status) != account.raw_status and status != from_text(account.raw_status):
            self._start(account, status)
        elif account.stored != account.confirmed and not self._kube.pruning.lost("SenderAccount"):
            self._workspace.status_stored(account.uid, account.stored)

    def _start(self, account: Account, status: dict[str, Any]) -> None:
        self._writing.add(account.uid)
        task = asyncio.create_task(self._write(account, status))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, account: Account, status: dict[str, Any]) -> None:
        with self._set_aside.trying(ref_of(account), WRITE_STATUS, lambda: self._again(account.uid)):
            await self._bring(account, status)

    async def _bring(self, account: Account, status: dict[str, Any]) -> None:
        previous = from_text(account.raw_status)
        try:
            written = await write_status(self._kube, ref_of(account), previous, status)
        finally:
            self._writing.discard(account.uid)
        if written is None:
            return
        if written.resource_version is not None:
            transitions.written(account, version_number(written.resource_version))
        self._learn()
        stored = transitions.status_kept(account, written.status)
        if previous.get("emailsSentToday") != status.get("emailsSentToday"):
            transitions.counter_written(account, self._clock())
        self._workspace.status_stored(account.uid, stored_of(stored))
        if status.get("handedOverFrom") not in (None, previous.get("handedOverFrom")):
            await self._tell_of_hand_over(account)
        await self._tell(account, previous, status)
        self.wake()

    def _learn(self) -> None:
        """What an older CRD drops is known to all decisions (rule 35)."""
        lost = frozenset(name.partition(".")[0] for name in self._kube.pruning.lost("SenderAccount"))
        if lost != self._workspace.policy.lost_fields:
            self._workspace.policy.lost_fields = lost
            self._workspace.touch_everything()

    def _again(self, uid: str) -> None:
        self._workspace.changed.add(uid)
        self.wake()

    async def _tell(self, account: Account, previous: dict[str, Any], status: dict[str, Any]) -> None:
        """One log line and one Event for each reason that is new."""
        before, after = reasons(previous), reasons(status)
        ready_before = before.get("Ready", ("", "", ""))[0]
        if after.get("Ready", ("", "", ""))[0] == "True" and ready_before != "True" and "inboxID" not in previous:
            created = unix_of(account.desired.created) or self._clock()
            self._on_ready(max(0.0, self._clock() - created + self._kube.clock_offset))
        known = {reason for _, reason, _ in before.values()}
        for kind, (state, reason, message) in after.items():
            if before.get(kind, ("", "", ""))[1] == reason:
                continue
            if reason in known or (kind not in before and reason in UNTOLD):
                continue
            known.add(reason)
            log.info(
                Event.CONDITION_CHANGED,
                namespace=account.desired.namespace,
                name=account.desired.name,
                workspace=self._workspace.digest,
                condition=kind,
                status=state,
                reason=reason,
            )
            level: Literal["Normal", "Warning"] = (
                "Warning" if state == "False" and reason != Reason.HANDED_OVER else "Normal"
            )
            await emit(self._kube, ref_of(account), level, reason, message, "Reconcile")
        for note in new_notes(self._workspace.policy.notes(account.desired), status, previous):
            await emit(self._kube, ref_of(account), "Warning", ANNOTATION_IGNORED, note, "Reconcile")

    async def _tell_of_hand_over(self, account: Account) -> None:
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
        """Write what is left, but not how long something waits; what takes too long is found again after a restart."""
        self._ending = True
        until = self._clock() + LONGEST_DRAIN
        while (self._tasks or any(self._lines[:-1])) and self._clock() < until:
            if self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            self.flush()
        await asyncio.gather(*self._tasks, return_exceptions=True)
