"""Failures by object: each affects only that object (rule 38).

All work on single objects runs within `SetAside.trying`: an exception ends the work on that object only. It is reported
once in the log and as an Event, counted in a metric, and retried with growing pauses and at the object's next event.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from coldsend_operator.core.model.pauses import doubled
from coldsend_operator.core.model.reasons import SET_ASIDE
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import KubeError, by_admission
from coldsend_operator.kube.events import emit
from coldsend_operator.kube.paths import Ref
from coldsend_operator.logs import Event, log
from coldsend_operator.tasks import Tasks

FIRST_PAUSE, MAX_PAUSE = 2.0, 600.0
MAX_OUTAGE_PAUSE = 10.0  # while the API server fails for all: not a fault of the object
OUTAGES = frozenset({None, 429, 503, 504})  # HTTP codes of such failures; None: no response
TRIES_BEFORE_REPORT = 4  # refusals of the API server in a row before they are reported on the object

# Kinds of work; a suffix distinguishes several of one object.
READ, DECIDE, ADD_FINALIZER, PATCH_FINALIZERS = "read", "decide", "add_finalizer", "finalizer"
READ_SECRETS, PLACE = "read_secrets", "find_workspace"
REPORT, WRITE_STATUS = "report", "write_status"
RETRIED = "The operator retries automatically, and immediately when the object changes."
MESSAGE = f"The operator failed to process this object ({{what}}: {{error}}); see the operator's log. {RETRIED}"
FAILED = f"A call to the API server for this object fails ({{what}}): {{error}}. {RETRIED}"


@dataclass(slots=True)
class _Trouble:
    ref: Ref
    error: str
    tries: int
    again: Callable[[], object]
    timer: asyncio.TimerHandle | None = None
    told: bool = False


class SetAside:
    """The current failures, by UID and kind of work.

    `leads`: whether this process is the leader; a standby sends no Events.
    """

    def __init__(self, kube: KubeClient, leads: Callable[[], bool]) -> None:
        self._kube = kube
        self._leads = leads
        self._troubles: dict[str, dict[str, _Trouble]] = {}
        self._tasks = Tasks(operation="emit")

    @contextmanager
    def trying(self, ref: Ref, what: str, again: Callable[[], object]) -> Iterator[None]:
        """Work on one object: an exception is recorded here, and `again` is called after a pause."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one object costs that object alone
            self.failed(ref, what, error, again)
        else:
            self.succeeded(ref.uid, what)

    def failed(self, ref: Ref, what: str, error: Exception, again: Callable[[], object]) -> None:
        troubles = self._troubles.setdefault(ref.uid, {})
        said = f"{type(error).__name__}: {error}"
        trouble = troubles.setdefault(what, _Trouble(ref, "", 0, again))
        if trouble.timer is not None:
            trouble.timer.cancel()
        if trouble.error != said:
            _log(ref, what, error)
        trouble.error, trouble.again = said, again
        trouble.tries += 1
        pause = doubled(FIRST_PAUSE, trouble.tries - 1, _longest(error))
        trouble.timer = asyncio.get_running_loop().call_later(pause, self._again, ref.uid, what)
        if (
            not trouble.told
            and self._leads()
            and (trouble.tries >= TRIES_BEFORE_REPORT or not isinstance(error, KubeError))
        ):
            trouble.told = True
            message = _message(what, error)
            self._tasks.start(emit(self._kube, ref, "Warning", SET_ASIDE, message, "Reconcile"))

    def succeeded(self, uid: str, what: str) -> None:
        trouble = self._troubles.get(uid, {}).pop(what, None)
        if trouble is not None:
            self._end(uid, trouble)

    def forget(self, uid: str) -> None:
        """The object is gone."""
        for what in list(self._troubles.get(uid, ())):
            self.succeeded(uid, what)

    def hasten(self, uid: str, but: tuple[str, ...] = ()) -> None:
        """The object changed: retry now what failed."""
        for what, trouble in list(self._troubles.get(uid, {}).items()):
            if trouble.timer is not None and what not in but:
                trouble.timer.cancel()
                self._again(uid, what)

    def failing(self, uid: str, what: str) -> bool:
        """Whether the last try failed."""
        return what in self._troubles.get(uid, ())

    def waits(self, uid: str, what: str) -> bool:
        """Whether the next try is pending."""
        trouble = self._troubles.get(uid, {}).get(what)
        return trouble is not None and trouble.timer is not None

    def counts(self) -> Mapping[str, int]:
        """The number of failing objects by kind."""
        told = (troubles for troubles in self._troubles.values() if any(each.told for each in troubles.values()))
        return Counter(next(iter(troubles.values())).ref.kind for troubles in told)

    def _again(self, uid: str, what: str) -> None:
        trouble = self._troubles.get(uid, {}).get(what)
        if trouble is not None:
            trouble.timer = None
            with self.trying(trouble.ref, f"{what}_again", trouble.again):
                trouble.again()

    def _end(self, uid: str, trouble: _Trouble) -> None:
        if trouble.timer is not None:
            trouble.timer.cancel()
        if not self._troubles[uid]:
            del self._troubles[uid]


def _longest(error: Exception) -> float:
    fails_for_all = isinstance(error, KubeError) and error.status in OUTAGES and not by_admission(error)
    return MAX_OUTAGE_PAUSE if fails_for_all else MAX_PAUSE


def _message(what: str, error: Exception) -> str:
    """With the words of the API server, which are about the object; an exception of ours may show anything."""
    if isinstance(error, KubeError):
        return FAILED.format(what=what, error=error.message)
    return MESSAGE.format(what=what, error=type(error).__name__)


def _log(ref: Ref, what: str, error: Exception) -> None:
    """One sentence for an error of the API server; a traceback for a bug of ours."""
    names = {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name, "operation": what}
    if isinstance(error, KubeError):
        log.warning(Event.CALL_FAILED, message=str(error), **names)
    else:
        log.error(Event.OBJECT_SET_ASIDE, exc_info=error, **names)
