"""The writer of status for both kinds: several objects at once, and one write to an object at a time."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from coldsend_operator.core.model.conditions import new_notes, reasons
from coldsend_operator.core.model.reasons import ANNOTATION_IGNORED
from coldsend_operator.core.work_queue import WorkQueue
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.events import emit
from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.set_aside import REPORT, WRITE_STATUS, SetAside
from coldsend_operator.kube.status import WrittenStatus, write_status
from coldsend_operator.logs import Event, log
from coldsend_operator.tasks import Tasks

MAX_WRITES = 10  # at once
SLICE = 500  # objects checked in one flush

T = TypeVar("T")
EventType = Literal["Normal", "Warning"]
Status = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StatusChange:
    """The current and the desired status of an object."""

    ref: Ref
    old: Status
    new: Status


class StatusWriter(ABC, Generic[T]):
    """`queue` holds the UIDs of objects whose status may have to change; `wake` is called when a write can begin."""

    def __init__(
        self, kube: KubeClient, clock: Callable[[], float], set_aside: SetAside, wake: Callable[[], None]
    ) -> None:
        self.queue = WorkQueue[str]()
        self.wake = wake
        self._kube = kube
        self._clock = clock
        self._set_aside = set_aside
        self.tasks = Tasks(wake, operation="write status")
        self._least_urgent: int | None = None  # the lowest priority that is written now; None: all are

    @abstractmethod
    def find(self, uid: str) -> T | None:
        """The object; None if it is gone."""

    @abstractmethod
    def ref_of(self, item: T) -> Ref: ...

    @abstractmethod
    def change_of(self, item: T) -> StatusChange | None:
        """The write that is due now; None if there is none."""

    @abstractmethod
    async def stored(self, item: T, change: StatusChange, written: WrittenStatus) -> None:
        """The API server stored the status."""

    @abstractmethod
    def is_reported(self, kind: str, reason: str, before: str | None) -> bool:
        """Whether a reason that no condition had is reported. `before`: that of its condition; None if that is new."""

    @abstractmethod
    def event_type(self, state: str, reason: str) -> EventType:
        """The type of the Event about a condition."""

    def flush(self) -> None:
        """Check the queued objects, and start as many writes as may run at once."""
        self.queue.wake(self._clock())
        for _ in range(SLICE):
            uid = self.queue.take(self._least_urgent) if len(self.tasks) < MAX_WRITES else None
            if uid is None:
                return
            self._check(uid)
        self.wake()  # more are queued; let other tasks run first

    def _check(self, uid: str) -> None:
        item, change = self.find(uid), None
        if item is not None and not self._set_aside.waits(uid, WRITE_STATUS):
            with self._set_aside.trying(self.ref_of(item), REPORT, lambda: self.again(uid)):
                change = self.change_of(item)
        if item is None or change is None:
            self.queue.done(uid)
        else:
            self.tasks.start(self._write(item, change))

    async def _write(self, item: T, change: StatusChange) -> None:
        uid = change.ref.uid
        with self._set_aside.trying(change.ref, WRITE_STATUS, lambda: self.again(uid)):
            try:
                written = await write_status(self._kube, change.ref, change.old, change.new)
            finally:
                self.queue.done(uid)
            if written is not None:
                await self.stored(item, change, written)

    def again(self, uid: str) -> None:
        """Retry an object after a failure."""
        self.queue.add(uid)
        self.wake()

    async def report_reasons(
        self, change: StatusChange, notes: tuple[str, ...], *, later: str | None = None, **names: str
    ) -> None:
        """Log each new reason and send an Event about it, and an Event for each new note of Synced.

        The caller sends the Event about the reason `later`.
        """
        before = {kind: reason for kind, (_, reason, _) in reasons(change.old).items()}
        known = set(before.values())
        names |= {"namespace": change.ref.namespace, "name": change.ref.name}
        for kind, (state, reason, message) in reasons(change.new).items():
            if reason in known or not self.is_reported(kind, reason, before.get(kind)):
                continue
            known.add(reason)
            log.info(Event.CONDITION_CHANGED, condition=kind, status=state, reason=reason, **names)
            if reason != later:
                await emit(self._kube, change.ref, self.event_type(state, reason), reason, message, "Reconcile")
        for note in new_notes(notes, change.new, change.old):
            await emit(self._kube, change.ref, "Warning", ANNOTATION_IGNORED, note, "Reconcile")

    async def drain(self) -> None:
        """Wait until all writes have ended."""
        await self.tasks.drain()
