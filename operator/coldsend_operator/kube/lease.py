"""The election: who holds the Lease, by its own steady clock (rule 5: a call begins only with a fresh Lease).

The elections of the Kubernetes clients compare wall clocks and cannot release a Lease, so this is an own loop. Times
here are seconds of a clock that also runs while the machine sleeps.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

from coldsend_operator.kube import paths
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import Conflict, KubeError, NotFound
from coldsend_operator.kube.state import state_path
from coldsend_operator.logs import Event, Recurring, log
from coldsend_operator.tasks import end

DURATION_SECONDS = 15
MAX_TRANSITIONS = 2**31 - 1  # the field is an int32


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """The times of an election, in seconds; `fresh` ends well before `duration`, so that a started write can end."""

    duration: int = DURATION_SECONDS  # others take the Lease if its record has not changed for this long
    fresh: float = 10.0  # no write begins later than this after the last renewal was sent
    renew: float = 5.0
    retry: float = 2.0
    call: float = 2.5  # a hanging renewal leaves time for two more within `fresh`


def steady() -> float:
    """Seconds of a clock that cannot be set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class _ObservedRecord:
    """A record of another holder, and when it was first seen in this state."""

    spec: dict[str, Any]
    at: float

    def over(self, now: float) -> bool:
        return now - self.at >= (self.spec.get("leaseDurationSeconds") or DURATION_SECONDS)


class Election:
    """The election: `async with Election(...) as election`; leaving the block releases the Lease.

    Leave it after the last write: a successor starts within the 2 s of its next check.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        *,
        identity: str | None = None,
        pace: LeaseTimes = LeaseTimes(),
        clock: Callable[[], float] = steady,
    ) -> None:
        self.identity = identity or f"{socket.gethostname()}_{uuid4().hex[:10]}"
        self._client = client
        self._namespace = namespace
        self._name = name
        self._what = {"namespace": namespace, "name": name}
        self._collection = paths.leases(namespace)
        self._path = f"{self._collection}/{quote(name, safe='')}"
        self._state_path = state_path(namespace, name)
        self._pace = pace
        self._clock = clock
        self._held: dict[str, Any] | None = None  # the Lease object as we last wrote it
        self._renewed: float | None = None  # when the last successful renewal was sent
        self._observed: _ObservedRecord | None = None
        self._free_at: float | None = None  # when a Lease becomes free that was missing at our first check
        self._acquired = asyncio.Event()
        self._lost = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._trouble = Recurring(Event.CALL_FAILED, operation="renew_lease", **self._what)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._run(), name="lease")
        self._loop.add_done_callback(self._ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._renewed = None
        if self._loop is not None:
            await end([self._loop])
        try:
            await self._give_back()
        except KubeError as failure:
            log.warning(Event.CALL_FAILED, operation="release_lease", message=str(failure), **self._what)

    def fresh(self) -> bool:
        """Whether the Lease was renewed less than `fresh` seconds ago; otherwise no write begins."""
        return self._renewed is not None and self._clock() - self._renewed < self._pace.fresh

    async def acquired(self) -> None:
        await self._acquired.wait()

    async def lost(self) -> None:
        await self._lost.wait()

    async def _run(self) -> None:
        while not self._lost.is_set():
            begun = self._clock()
            pause = await self._turn()
            await asyncio.sleep(max(0.0, pause - (self._clock() - begun)))

    def _ended(self, loop: asyncio.Task[None]) -> None:
        """A failed loop no longer renews: report it at once instead of stopping silently."""
        error = None if loop.cancelled() else loop.exception()
        if error is not None:
            log.error(Event.LOOP_FAILED, exc_info=error, **self._what)
            self._renewed = None
            self._lost.set()

    async def _turn(self) -> float:
        """One try to renew or acquire the Lease. Returns the seconds from its start to the next one."""
        try:
            done = await (self._acquire() if self._held is None else self._renew(self._held))
        except KubeError as error:
            self._trouble.failed(str(error))
            return self._pace.retry
        self._trouble.ended()
        return self._pace.renew if done else self._pace.retry

    async def _renew(self, held: dict[str, Any]) -> bool:
        try:
            await self._write_again(held)
        except Conflict:
            return await self._after_conflict()
        except NotFound:  # deleted by hand: whoever creates it first is the holder
            return await self._create()
        return True

    async def _after_conflict(self) -> bool:
        """The Lease changed: by another holder, a person's label, or our own write without a response."""
        lease = await self._get()
        if lease is None:
            return await self._create()
        if _holder(lease) == self.identity:
            return await self._renew_again(lease)
        self._lose(_holder(lease))
        return False

    async def _renew_again(self, lease: dict[str, Any]) -> bool:
        self._held = lease
        try:
            await self._write_again(lease)
        except (Conflict, NotFound):
            return False  # the next round checks again
        return True

    async def _acquire(self) -> bool:
        lease = await self._get()
        if lease is None:
            return await self._create() if await self._is_free() else False
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity")
        if holder and holder != self.identity and not self._expired(spec):
            return False
        ours = holder == self.identity  # our own acquisition, whose response was lost
        transitions = min((spec.get("leaseTransitions") or 0) + (0 if ours else 1), MAX_TRANSITIONS)
        try:
            await self._write(lease, _now(), transitions)
        except (Conflict, NotFound):
            return False
        return True

    async def _is_free(self) -> bool:
        """A Lease deleted while held is free only when its holder has surely stopped.

        Its holder recreates it at its next renewal. Without a former holder there is no wait.
        """
        if self._observed is not None:
            return self._observed.over(self._clock())
        if self._free_at is None:
            self._free_at = self._clock() + (self._pace.duration if await self._somebody_led() else 0)
        return self._clock() >= self._free_at

    async def _somebody_led(self) -> bool:
        try:
            return await self._client.find(self._state_path, timeout=self._pace.call, urgent=True) is not None
        except KubeError:
            return True  # as far as known

    def _expired(self, spec: dict[str, Any]) -> bool:
        """Whether the record did not change for the duration, by our own clock, whatever times it contains."""
        now, observed = self._clock(), self._observed
        if observed is None or observed.spec["holderIdentity"] != spec["holderIdentity"]:
            log.info(Event.LEASE_HELD, holder=spec["holderIdentity"], **self._what)
        if observed is None or observed.spec != spec:
            observed = self._observed = _ObservedRecord(spec, now)
        return observed.over(now)

    async def _create(self) -> bool:
        left = self._clock()
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._spec(_now(), 0),
        }
        try:
            self._hold(await self._client.create(self._collection, body, timeout=self._pace.call, urgent=True), left)
        except Conflict:
            return await self._after_conflict() if self._held is not None else False
        return True

    async def _write_again(self, lease: dict[str, Any]) -> None:
        spec = lease["spec"]
        await self._write(lease, spec.get("acquireTime") or _now(), spec.get("leaseTransitions") or 0)

    async def _write(self, lease: dict[str, Any], acquired: str, transitions: int) -> None:
        left = self._clock()
        body = {**lease, "spec": {**(lease.get("spec") or {}), **self._spec(acquired, transitions)}}
        self._hold(await self._client.replace(self._path, body, timeout=self._pace.call, urgent=True), left)

    def _hold(self, lease: dict[str, Any], left: float) -> None:
        if not self._acquired.is_set():
            log.info(Event.LEASE_ACQUIRED, holder=self.identity, **self._what)
        self._held = lease
        self._renewed = left
        self._acquired.set()

    def _lose(self, holder: str) -> None:
        log.error(Event.LEASE_LOST, holder=holder, **self._what)
        self._held = None
        self._renewed = None
        self._lost.set()

    async def _give_back(self) -> None:
        lease = await self._get()
        if lease is None or _holder(lease) != self.identity:
            return
        free = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
        try:
            await self._client.replace(self._path, {**lease, "spec": free}, timeout=self._pace.call, urgent=True)
        except (Conflict, NotFound):
            return  # another process has it, or nobody can
        log.info(Event.LEASE_RELEASED, **self._what)

    async def _get(self) -> dict[str, Any] | None:
        return await self._client.find(self._path, timeout=self._pace.call, urgent=True)

    def _spec(self, acquired: str, transitions: int) -> dict[str, Any]:
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": self._pace.duration,
            "acquireTime": acquired,
            "renewTime": _now(),
            "leaseTransitions": transitions,
        }


def _holder(lease: dict[str, Any]) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
