"""Raw calls to the API server: JSON in, JSON out. The only module that opens connections to it.

The generated classes of the Kubernetes client are left alone on purpose: their models cost 26 MB, and they translate
each object twice.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from copy import copy
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from coldsend_operator.kube.clock import ServerClock, unix_seconds
from coldsend_operator.kube.connection import Connection
from coldsend_operator.kube.errors import (
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    KubeError,
    NotConfigured,
    NotFound,
    StaleLease,
    Unreachable,
    error_of,
)
from coldsend_operator.kube.paths import Kind, Ref, kind_of
from coldsend_operator.kube.pruning import Pruning
from coldsend_operator.kube.throttle import Throttle

__all__ = [
    "FIELD_MANAGER",
    "JSON",
    "METADATA",
    "METADATA_LIST",
    "Conflict",
    "Expired",
    "Forbidden",
    "Invalid",
    "Kind",
    "KubeClient",
    "KubeError",
    "NotConfigured",
    "NotFound",
    "Ref",
    "StaleLease",
    "Unreachable",
]

FIELD_MANAGER: Final = "coldsend-operator"

JSON: Final = "application/json"
METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
APPLY_PATCH: Final = "application/apply-patch+yaml"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"

CALL_SECONDS: Final = 15.0
LIST_SECONDS: Final = 30.0
CONCURRENCY: Final = 16  # more of them only queue up in the API server
READ_PAUSES: Final = (0.2, 1.0)  # before the second and the third try of a GET
LONGEST_PAUSE: Final = 5.0  # of a Retry-After that a GET waits out
EVENTS_PER_SECOND: Final = 20.0
EVENTS_AT_ONCE: Final = 200

OnWrite = Callable[[str, str], None]


@dataclass
class Fence:
    """Asked just before each write leaves, however long it has waited until then (safety.md, 5)."""

    lets_through: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: Any = None
    content_type: str | None = None
    accept: str = JSON
    seconds: float = CALL_SECONDS

    @property
    def target(self) -> str:
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Accept": self.accept}
        return headers if self.content_type is None else {**headers, "Content-Type": self.content_type}

    @property
    def discreet(self) -> bool:
        """Whether the server's complaint might quote a secret value."""
        return self.method != "GET" and kind_of(self.path) == "Secret"


class KubeClient:
    """A session with the API server: `async with KubeClient.connect(on_write) as client`.

    A write that `fence` does not let through raises StaleLease; urgent ones, those of the Lease itself, pass.

    `on_write(kind, verb)` is told of every write before it leaves, with verbs as in RBAC (create, update, patch,
    delete). Only GETs are repeated, after Unreachable; a 401, which the server has not acted upon, is repeated once
    with credentials read again. (The transport sends a PUT or DELETE again on another connection when the server had
    closed the idle one; these carry a resourceVersion or a UID, so it does no harm.) All methods raise KubeError.
    """

    def __init__(self, on_write: OnWrite) -> None:
        self._on_write = on_write
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._clock = ServerClock()
        self.connection = Connection()
        self.pruning = Pruning()
        self.fence = Fence()
        # By kind: what happens to a batch is not lost among what happens to its thousands of children.
        self.event_throttles = defaultdict[str, Throttle](lambda: Throttle(EVENTS_PER_SECOND, EVENTS_AT_ONCE))

    @classmethod
    def connect(cls, on_write: OnWrite) -> Self:
        """A session that opens on `async with`: the credentials are read there."""
        return cls(on_write)

    async def __aenter__(self) -> Self:
        await self.connection.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.connection.close()

    def beside(self, concurrency: int) -> Self:
        """The same open session with slots of its own: its calls do not wait behind a flood of others."""
        other = copy(self)
        other._slots = asyncio.Semaphore(concurrency)  # noqa: SLF001 - one of us
        return other

    @property
    def clock_offset(self) -> float:
        """API server's clock minus the local wall clock, in seconds; 0 until known."""
        return self._clock.offset

    async def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        accept: str = JSON,
        *,
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - handed to the transport
        urgent: bool = False,
    ) -> dict[str, Any]:
        """Read. `urgent` (also below) does not wait for a free slot, and is not repeated."""
        call = _Call("GET", path, params, accept=accept, seconds=timeout)
        for pause in () if urgent else READ_PAUSES:
            try:
                return await self._send(call, urgent=urgent)
            except Unreachable as error:
                wait = pause if error.retry_after is None else error.retry_after
                if wait > LONGEST_PAUSE:
                    raise
            await asyncio.sleep(wait)
        return await self._send(call, urgent=urgent)

    async def patch(
        self,
        path: str,
        body: dict[str, Any] | list[dict[str, Any]],
        content_type: str,
        params: Mapping[str, str] | None = None,
        accept: str = JSON,
    ) -> dict[str, Any]:
        self._on_write(kind_of(path), "patch")
        return await self._send(_Call("PATCH", path, params, body, content_type, accept))

    async def create(
        self,
        path: str,
        body: dict[str, Any],
        params: Mapping[str, str] | None = None,
        *,
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - handed to the transport
        urgent: bool = False,
    ) -> dict[str, Any]:
        self._on_write(kind_of(path), "create")
        return await self._send(_Call("POST", path, params, body, JSON, seconds=timeout), urgent=urgent)

    async def replace(
        self,
        path: str,
        body: dict[str, Any],
        params: Mapping[str, str] | None = None,
        *,
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - handed to the transport
        urgent: bool = False,
    ) -> dict[str, Any]:
        self._on_write(kind_of(path), "update")
        return await self._send(_Call("PUT", path, params, body, JSON, seconds=timeout), urgent=urgent)

    async def delete(
        self, path: str, body: dict[str, Any] | None = None, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        self._on_write(kind_of(path), "delete")
        return await self._send(_Call("DELETE", path, params, body, JSON))

    async def list_pages(
        self, path: str, limit: int = 500, params: Mapping[str, str] | None = None, accept: str = JSON
    ) -> AsyncIterator[dict[str, Any]]:
        """The pages of a list. Expired in the middle means that the caller starts over."""
        query = {**(params or {}), "limit": str(limit)}
        while True:
            page = await self.get(path, query, accept, timeout=LIST_SECONDS)
            yield page
            following = page["metadata"].get("continue")
            if not following:
                return
            query["continue"] = following

    async def _send(self, call: _Call, *, urgent: bool = False) -> dict[str, Any]:
        slot: AbstractAsyncContextManager[None] = nullcontext() if urgent else self._slots
        async with slot:
            asked = time.monotonic()
            try:
                return await self._exchange(call, urgent=urgent)
            except KubeError as error:
                if error.status != 401 or not await self.connection.renew(asked):
                    raise
            return await self._exchange(call, urgent=urgent)

    async def _exchange(self, call: _Call, *, urgent: bool) -> dict[str, Any]:
        await self.connection.refresh()  # may take its time, so before the fence is asked
        if call.method != "GET" and not urgent and not self.fence.lets_through():
            raise StaleLease("the Lease was not renewed lately")
        sent = unix_seconds()
        answer = await self.connection.exchange(call.method, call.target, call.headers, call.body, call.seconds)
        self._clock.observe(answer.headers.get("Date"), sent, unix_seconds())
        if answer.status >= 300:
            raise error_of(answer.status, answer.body, answer.headers.get("Retry-After"), discreet=call.discreet)
        return _parsed(answer.body, answer.status)


def _parsed(raw: bytes, status: int) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except ValueError as error:
        raise Unreachable("the answer is no JSON", status=status, reason="Unreadable") from error
    if not isinstance(answer, dict):
        raise Unreachable("the answer is no object", status=status, reason="Unreadable")
    return answer
