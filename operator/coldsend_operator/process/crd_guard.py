"""Guards the two CRDs: no deletes while one is being deleted, no watches while one is missing."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from coldsend_operator.core.model.policy import Policy
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.crds import LAG_SECONDS, Definitions, defined, schemas, served
from coldsend_operator.kube.errors import Forbidden, KubeError
from coldsend_operator.kube.throttle import Pauses
from coldsend_operator.logs import Event, Recurring
from coldsend_operator.resources.names import INSTALL_CRDS
from coldsend_operator.tasks import Tasks

CHECK_SECONDS = 10.0
MISSING_SECONDS = 2.0  # seconds between two checks while one is missing
TOGETHER_SECONDS = 0.25  # deletions within this time share a check
MISSING = (
    f"CRD not installed: {{names}}. The operator waits for it. To install: {INSTALL_CRDS} "
    "(with Helm: crds.install=true)"
)
DELETING = (
    "CRD is being deleted: {names}. Every deletion in ColdSend is on hold until it is approved with the annotation "
    "coldsend.pro/approve-deletion: 'true' on the object or its namespace"
)


class CrdGuard:
    """Sets `policy.hold_deletions`. `on_change` is called when that changes.

    `may_read`: whether the operator may read the CRDs; otherwise discovery tells, a little later.
    Without `run` the CRDs count as there.
    """

    def __init__(self, kube: KubeClient, policy: Policy, on_change: Callable[[], None], *, may_read: bool) -> None:
        self._kube = kube
        self._policy = policy
        self._on_change = on_change
        self._may_read = may_read
        self._present = asyncio.Event()
        self._absent = asyncio.Event()
        self._present.set()
        self._next: asyncio.Task[None] | None = None
        self._checks = Tasks(operation="check_crds")
        self._closed = False
        self._checked_at = float("-inf")
        self._generations: tuple[int | str, ...] = ()
        self._missing = Recurring(Event.CRD_MISSING)
        self._deleting = Recurring(Event.CRD_DELETING)
        self._trouble = Recurring(Event.CALL_FAILED, operation="check_crds")

    async def run(self) -> None:
        while True:
            await self._check(thoroughly=True)
            await asyncio.sleep(MISSING_SECONDS if self._absent.is_set() else CHECK_SECONDS)

    @property
    def missing(self) -> bool:
        """Whether one was missing at the last check."""
        return self._absent.is_set()

    async def present(self) -> None:
        """Returns when both exist."""
        await self._present.wait()

    async def absent(self) -> None:
        """Returns when one is missing."""
        await self._absent.wait()

    async def check_again(self) -> None:
        """Wait for a check started after this call: an object may be deleted together with its CRD (rule 31).

        Returns only after a response of the API server, or at once when the operator has stopped.
        """
        if self._closed:
            return
        if self._next is None:
            self._next = self._checks.start(self._check_soon())
        check = self._next
        await asyncio.wait({check})  # a caller that is cancelled leaves the check to the others
        if not check.cancelled():
            check.result()

    def close(self) -> None:
        """End the checks that were asked for: the connection to the API server is about to close."""
        self._closed = True
        self._checks.cancel()

    async def _check_soon(self) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(self._checked_at + TOGETHER_SECONDS - now)
        self._next = None  # later callers need a later check
        self._checked_at = asyncio.get_running_loop().time()
        await self._check()

    async def _check(self, *, thoroughly: bool = False) -> None:
        pauses = Pauses(0.5, 15.0)
        while True:
            try:
                if self._may_read:
                    found = await defined(self._kube)
                else:
                    await asyncio.sleep(LAG_SECONDS)  # until discovery reflects all earlier changes
                    found = replace(await served(self._kube), generations=await schemas(self._kube))
                if found.usable and (thoroughly or self._absent.is_set()):
                    # a new CRD is not served at once
                    found = replace(await served(self._kube), generations=found.generations)
            except Forbidden:  # the roles are older than this version
                self._may_read = False
            except KubeError as error:
                self._trouble.failed(str(error))
                await asyncio.sleep(pauses.next())
            else:
                self._trouble.ended()
                self._use(found)
                return

    def _use(self, found: Definitions) -> None:
        _report(self._missing, MISSING, found.missing)
        _report(self._deleting, DELETING, found.deleting)
        for event, holds in ((self._present, not found.missing), (self._absent, bool(found.missing))):
            if holds:
                event.set()
            else:
                event.clear()
        if found.generations != self._generations:
            self._generations = found.generations
            self._kube.pruning.clear()
            self._policy.lost_fields = frozenset()
            self._on_change()
        if self._policy.hold_deletions == found.usable:
            self._policy.hold_deletions = not found.usable
            self._on_change()


def _report(trouble: Recurring, text: str, names: tuple[str, ...]) -> None:
    if names:
        trouble.failed(text.format(names=" and ".join(names)))
    else:
        trouble.ended()
