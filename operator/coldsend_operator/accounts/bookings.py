"""Budget and brake of each workspace in the state ConfigMap, booked before they are spent (rule 27).

Beside them stand the keys that may not create inboxes.
"""

import asyncio
import json
import re
from collections.abc import Callable, Collection, Set
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from coldsend_operator.core.workspace.trust import Trust
from coldsend_operator.core.workspace.windows import HOUR
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.kube.errors import KubeError, Unreachable
from coldsend_operator.kube.state import StateConflict, StateMap
from coldsend_operator.logs import Event, log

DIGEST = re.compile(r"[0-9a-f]{12}")
REPORT = "report"  # the usage of the workspaces, for people and commands
REPORT_SECONDS = 60.0
KEY_WORKSPACES = "key-workspaces"  # by key reference; all other keys but the report are digests
UNGUARDED = frozenset({REPORT, KEY_WORKSPACES})  # they hold no counts: the leader may replace them
EARLIER_KEY_WORKSPACES = "homes"  # its name in versions up to 0.1.0; read until 0.2.0
# Errors of an edited ConfigMap.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
CLOCK_TOLERANCE = 5.0  # seconds: the API server's Date header has whole seconds, and takes its time to arrive
MAX_BYTES = 900_000  # a ConfigMap takes 1 MiB
RETRY_PAUSES = (0.5, 2.0)  # one lost response must not waste a booking


@dataclass(frozen=True, slots=True)
class StoredReport:
    """`text` is stored; a write of its own happens only if `worth_a_write` changed."""

    text: str
    worth_a_write: object


class Bookings:
    """The stored state of each workspace, from earlier runs and of this one.

    `offset` is the API server's clock minus ours. It is stored with the times, so that a run with a wrong clock does
    not make its requests appear older than they are.
    """

    def __init__(self, state: StateMap, clock: Callable[[], float], offset: Callable[[], float] = lambda: 0.0) -> None:
        self._state = state
        self._clock = clock
        self._offset = offset
        self._texts: dict[str, str] = {}
        self._told = False
        self._locks = WeakValueDictionary[str, asyncio.Lock]()  # while a save is under way
        self._unused_since: dict[str, float] = {}
        self._tell_full_at = 0.0
        self.make_report: Callable[[], StoredReport | None] = lambda: None
        self._reported: Any = None  # the part of the last report that was worth a write
        self._reported_at = -REPORT_SECONDS

    async def load(self) -> None:
        try:
            self._texts = await self._state.load()
        except KubeError as error:
            self._tell(error)

    def restore(self, workspace: Workspace, digest: str | None = None) -> frozenset[str]:
        """Load the counts of earlier runs. Returns the digests whose counts they include (rule 13).

        `digest` is that of an earlier key of the workspace.
        """
        try:
            stored = json.loads(self._texts.get(digest or workspace.digest, "{}"))
            workspace.budget.load(stored.get("budget", {}), self._clock(), self._behind(stored))
            workspace.brake.load(stored.get("brake", {}), self._clock())
            workspace.keys.load(stored.get("lackCreate", {}), self._clock())
            return frozenset(stored.get("keys", ()))
        except UNREADABLE:
            log.warning(Event.STATE_NOT_SAVED, workspace=workspace.digest, message="the stored state cannot be read")
        return frozenset()

    def restore_trust(self, trust: Trust) -> None:
        """Load the workspaces that each key reference led to in an earlier run (rule 40)."""
        try:
            text = self._texts.get(KEY_WORKSPACES, self._texts.get(EARLIER_KEY_WORKSPACES))
            if text is not None:
                trust.load(json.loads(text))
        except UNREADABLE:
            log.warning(Event.STATE_NOT_SAVED, message="the stored workspaces of the API keys cannot be read")

    async def save_trust(self, trust: Trust) -> None:
        """Store them unless they are stored already; after a restore of etcd they may not be."""
        text = json.dumps(trust.to_json(), separators=(",", ":"))
        if text == (self._state.known(KEY_WORKSPACES) or "{}"):
            return
        try:
            await self._state.save(KEY_WORKSPACES, text)
            if self._texts.pop(EARLIER_KEY_WORKSPACES, None) is not None:
                await self._state.save(EARLIER_KEY_WORKSPACES, None)
        except (KubeError, StateConflict) as error:
            self._tell(error)

    async def prune(self, used: Set[str]) -> list[str]:
        """Drop the state of digests that were unused for an hour: their windows are over."""
        now = self._clock()
        unused = [name for name in self._texts if DIGEST.fullmatch(name) and name not in used]
        self._unused_since = {digest: self._unused_since.get(digest, now) for digest in unused}
        old = [digest for digest, since in self._unused_since.items() if now >= since + HOUR]
        await self._drop(old)
        return old

    async def _drop(self, digests: Collection[str]) -> None:
        for digest in digests:
            self._texts.pop(digest, None)
        try:
            await asyncio.gather(*(self._state.save(digest, None) for digest in digests))
        except (KubeError, StateConflict) as error:
            self._tell(error)

    async def book(self, workspace: Workspace) -> None:
        """Book a block of requests, which may leave afterwards."""
        async with self._lock(workspace):
            block = workspace.budget.block
            await self._save(workspace, workspace.budget.booked + block)
            workspace.budget.book(block)

    async def save(self, workspace: Workspace, block: int | None = None) -> None:
        """Store what was spent, and book `block` requests that may be spent before the next save."""
        async with self._lock(workspace):
            await self._save(workspace, workspace.budget.booked if block is None else block)

    def _lock(self, workspace: Workspace) -> asyncio.Lock:
        """One save per workspace at a time: an older text written last would undo a booking."""
        return self._locks.setdefault(workspace.id, asyncio.Lock())

    async def _save(self, workspace: Workspace, block: int) -> None:
        for pause in RETRY_PAUSES:
            try:
                await self._write(workspace, block)
            except StateConflict:
                await self._take_in(workspace)
            except Unreachable:
                await asyncio.sleep(pause)
            except KubeError as error:
                return self._tell(error)
            else:
                return None
        try:
            await self._write(workspace, block)
        except (KubeError, StateConflict) as error:
            self._tell(error)

    async def _write(self, workspace: Workspace, block: int) -> None:
        """The same text for each key of the workspace, as any of them may be the only one after a restart."""
        content: dict[str, Any] = {
            "budget": workspace.budget.to_json(self._clock(), block=block),
            "brake": workspace.brake.to_json(),
            "clockOffset": round(self._offset(), 1),
        }
        if lacking := workspace.keys.to_json():
            content["lackCreate"] = lacking
        if len(workspace.digests) > 1:
            content["keys"] = sorted(workspace.digests)
        text = json.dumps(content, separators=(",", ":"))
        for digest in workspace.digests:
            self._texts.pop(digest, None)  # the last written entry is last
            self._texts[digest] = text
        await self._drop_oldest(workspace.digests)
        saves = [self._state.save(digest, text) for digest in workspace.digests]
        if self._clock() >= self._reported_at + REPORT_SECONDS:  # part of the same write
            saves.append(self._save_report(self.make_report()))
        await asyncio.gather(*saves)

    async def report(self) -> None:
        """Store the report if it changed, at most once a minute."""
        if self._clock() < self._reported_at + REPORT_SECONDS:
            return
        report = self.make_report()
        if report is not None and report.worth_a_write != self._reported:
            await self._save_report(report)

    async def _save_report(self, report: StoredReport | None) -> None:
        """A failure affects only what commands show."""
        if report is None:
            return
        self._reported, self._reported_at = report.worth_a_write, self._clock()
        with suppress(KubeError, StateConflict):
            await self._state.save(REPORT, report.text)

    async def _drop_oldest(self, kept: Set[str]) -> None:
        """Drop the oldest entries, so that the ConfigMap can take the new ones."""
        size = sum(len(name) + len(text) for name, text in self._texts.items())
        old = []
        for name, text in self._texts.items():
            if size <= MAX_BYTES:
                break
            if DIGEST.fullmatch(name) and name not in kept:
                size -= len(name) + len(text)
                old.append(name)
        if old and self._clock() >= self._tell_full_at:
            self._tell_full_at = self._clock() + HOUR
            log.warning(
                Event.STATE_FULL, message=f"the ConfigMap is full: dropped the state of {len(old)} unused workspaces"
            )
        await self._drop(old)

    async def _take_in(self, workspace: Workspace) -> None:
        """Another process spends from the same budget: count its requests too."""
        try:
            others = await self._state.load()
            stored = json.loads(others.get(workspace.digest, "{}"))
            workspace.budget.load(stored.get("budget", {}), self._clock(), self._behind(stored))
        except (KubeError, *UNREADABLE) as error:
            self._tell(error)

    def _behind(self, stored: dict[str, Any]) -> float:
        """The seconds by which the clock that wrote this was behind ours, by the API server's clock."""
        present = self._offset()
        behind = float(stored.get("clockOffset", present)) - present
        return behind if behind > CLOCK_TOLERANCE else 0.0

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            log.warning(
                Event.STATE_NOT_SAVED,
                message=f"the request budget and the deletion brake cannot be saved ({error}); they will start empty "
                "after a restart. This is logged once",
            )
