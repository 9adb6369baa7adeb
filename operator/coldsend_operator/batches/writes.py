"""Carries out the writes decided for children and for the batch's finalizer, and records their outcome."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from coldsend_operator.batches.batch_work import BatchWork
from coldsend_operator.batches.child_index import ChildIndex
from coldsend_operator.batches.child_writer import ChildWriter, batch_ref
from coldsend_operator.core.batch.decide import ChildAction, FinalizerChange, finalizer_change
from coldsend_operator.core.batch.model import Batch, Child, EntryRefusal
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import Conflict, Forbidden, Invalid, KubeError, NotFound, StaleLease
from coldsend_operator.kube.events import TERMINATING
from coldsend_operator.kube.finalizers import add_finalizers, remove_finalizers
from coldsend_operator.kube.set_aside import PATCH_FINALIZERS, SetAside
from coldsend_operator.logs import Event, log
from coldsend_operator.tasks import Tasks

QUOTA = "exceeded quota"  # in the API server's message when a ResourceQuota is used up
FULL = (QUOTA, TERMINATING)  # no other new child is allowed either


class BatchWrites:
    """Writes run as `tasks`, which end with `decide_again` for the child or `activate` for the batch."""

    def __init__(
        self,
        kube: KubeClient,
        set_aside: SetAside,
        writer: ChildWriter,
        children: ChildIndex,
        clock: Callable[[], float],
        tasks: Tasks,
        decide_again: Callable[[BatchWork, str], None],
        activate: Callable[[BatchWork], None],
    ) -> None:
        self._kube = kube
        self._set_aside = set_aside
        self._writer = writer
        self._children = children
        self._clock = clock
        self._tasks = tasks
        self._decide_again = decide_again
        self._activate = activate

    def keep_finalizer(self, work: BatchWork) -> None:
        """Add or remove the finalizer of the batch, if due."""
        if work.writing_finalizer or self._set_aside.waits(work.batch.uid, PATCH_FINALIZERS):
            return
        change = finalizer_change(work.batch, self._children.owned_by(work.batch), idle=work.idle)
        if change is not FinalizerChange.NONE:
            work.writing_finalizer = True
            self._tasks.start(self._write_finalizer(work, change))

    async def _write_finalizer(self, work: BatchWork, change: FinalizerChange) -> None:
        batch = work.batch
        try:
            with self._set_aside.trying(batch_ref(batch), PATCH_FINALIZERS, partial(self._activate, work)):
                await self._change_finalizer(batch, change)
        finally:
            work.writing_finalizer = False
            if self._children.has(work):
                self._activate(work)

    async def _change_finalizer(self, batch: Batch, change: FinalizerChange) -> None:
        if change is FinalizerChange.REMOVE:
            await remove_finalizers(self._kube, batch_ref(batch))
            batch.finalized = False
            return
        with suppress(NotFound):  # the next watch event explains it
            await add_finalizers(self._kube, batch_ref(batch))
            batch.finalized = True

    async def carry_out(self, work: BatchWork, name: str, action: ChildAction, child: Child | None) -> None:
        """The decided write to the child, which is in progress until this ends."""
        batch = work.batch
        failure: KubeError | None = None
        try:
            if action is ChildAction.APPLY and child is not None and work.undone(name) and name not in batch.refusals:
                change = await self._writer.who_changes(batch, work.spec, batch.entry(name), child)
                if change is not None:
                    batch.contested[name] = change
            stored = await self._writer.carry_out(action, batch, work.spec, batch.entry(name), child)
            if stored is not None:
                self._children.see_child(stored)
            batch.refusals.pop(name, None)
            batch.kept.pop(name, None)
            log.debug(Event.CALL, operation=f"{action} child", namespace=batch.namespace, name=name)
        except KubeError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one child costs that child alone
            log.error(
                Event.LOOP_FAILED, operation=f"{action} child", namespace=batch.namespace, name=name, exc_info=error
            )
            failure = KubeError(f"the operator failed to write it ({type(error).__name__})", reason="Failed")
        work.children.done(name)
        self._pace(work, name, action, child, failure)
        if failure is not None:
            _refused(batch, name, action, failure)
        elif action is ChildAction.DELETE and child is not None:
            self._children.deletion_accepted(batch, child)
        self._children.write_ended()
        if self._children.has(work):
            self._decide_again(work, name)

    def _pace(
        self, work: BatchWork, name: str, action: ChildAction, child: Child | None, failure: KubeError | None
    ) -> None:
        """Set when the child, and the children that the namespace does not allow, may be written next."""
        now = self._clock()
        if child is None and isinstance(failure, Forbidden) and any(words in failure.message for words in FULL):
            work.quota.park(name)
            work.quota.see_full(now)
        elif child is not None or failure is not None or self._children.child(work.batch, name) is None:
            # the last: it left the selector meanwhile, and would be written again at once, for ever
            work.hold(name, now, failed=failure is not None)
        elif action is ChildAction.APPLY:
            for waiting in work.quota.release():
                self._decide_again(work, waiting)


def _refused(batch: Batch, name: str, action: ChildAction, error: KubeError) -> None:
    """Record a refusal that a retry does not cure; status reports it."""
    if action is ChildAction.APPLY and isinstance(error, Invalid | Forbidden):
        reason = Reason.INVALID_SPEC if isinstance(error, Invalid) else Reason.REJECTED
        message = f"Kubernetes refuses the SenderAccount of this inbox: {error.message}"
        batch.refusals[name] = EntryRefusal(reason, message)
    elif action is ChildAction.DELETE and isinstance(error, Invalid | Forbidden):
        batch.kept[name] = error.message
    _complain(batch, f"{action} child", name, error)


def _complain(batch: Batch, operation: str, name: str, error: KubeError) -> None:
    """Log the failure, unless the next watch event explains it."""
    if not isinstance(error, NotFound | Conflict | StaleLease):
        log.warning(Event.CALL_FAILED, operation=operation, namespace=batch.namespace, name=name, message=str(error))
