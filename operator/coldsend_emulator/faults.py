"""Faults on demand, before or after the work of a request."""

import asyncio
import itertools
import re
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["delay", "cut", "status", "not_json", "truncated", "pause"]
When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """The parts of a request that a fault can match."""

    operation: str
    method: str
    path: str
    workspace: str | None
    body: bytes


@dataclass
class Fault:
    fault_id: str
    kind: Kind
    when: When
    operation: str | None = None
    method: str | None = None
    path: str | None = None  # a regular expression, searched in the path
    workspace: str | None = None
    body_contains: str | None = None
    skip: int = 0  # this many matching requests pass first
    every: int = 1  # of the rest every n-th is hit
    count: int | None = None  # maximum number of hits
    seconds: float = 0.0
    status: int = 503
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    matched: int = 0
    hits: int = 0
    waiting: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def strikes(self, request: RequestFacts) -> bool:
        """Count a request. Returns whether this fault hits it."""
        if not self._matches(request):
            return False
        self.matched += 1
        beyond = self.matched - self.skip
        if beyond <= 0 or beyond % self.every or (self.count is not None and self.hits >= self.count):
            return False
        self.hits += 1
        return True

    def _matches(self, request: RequestFacts) -> bool:
        return (
            self.operation in {None, request.operation}
            and self.method in {None, request.method}
            and self.workspace in {None, request.workspace}
            and (self.path is None or re.search(self.path, request.path) is not None)
            and (self.body_contains is None or self.body_contains.encode() in request.body)
        )


class Faults:
    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()

    def add(self, **parts: Any) -> Fault:
        fault = Fault(fault_id=f"fault-{next(self._numbers)}", **parts)
        self._faults[fault.fault_id] = fault
        return fault

    def get(self, fault_id: str) -> Fault | None:
        return self._faults.get(fault_id)

    def all(self) -> list[Fault]:
        return list(self._faults.values())

    def remove(self, fault_id: str) -> None:
        """Remove a fault and release the requests that it holds."""
        fault = self._faults.pop(fault_id, None)
        if fault:
            fault.released.set()

    def clear(self) -> None:
        for fault_id in list(self._faults):
            self.remove(fault_id)

    async def take(self, request: RequestFacts) -> Fault | None:
        """The first fault that hits the request; None if none does."""
        found = next((fault for fault in self._faults.values() if fault.strikes(request)), None)
        if found:
            await self._tell()
        return found

    async def hold(self, fault: Fault) -> None:
        """Wait until a pause is released."""
        fault.waiting += 1
        await self._tell()
        await fault.released.wait()
        fault.waiting -= 1

    async def wait_for_hits(self, fault: Fault, hits: int, seconds: float) -> bool:
        """Whether this many requests were hit (a pause: are held) within the time."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._arrived(fault) >= hits)
        except TimeoutError:
            return False
        return True

    @staticmethod
    def _arrived(fault: Fault) -> int:
        if fault.kind == "pause" and not fault.released.is_set():
            return fault.waiting
        return fault.hits

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
