"""Raw reads from the API server: JSON in, JSON out. This client sends only GETs.

The generated classes of the Kubernetes client are not used on purpose: their models cost 26 MB, and they convert
each object twice.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from copy import copy
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from coldsend_operator.kube.clock import ServerClock, unix_seconds
from coldsend_operator.kube.connection import Connection, HttpAnswer
from coldsend_operator.kube.errors import KubeError, NotFound, Unreachable, error_of
from coldsend_operator.kube.paths import kind_of

JSON: Final = "application/json"
METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

CALL_SECONDS: Final = 15.0
LIST_SECONDS: Final = 30.0
CONCURRENCY: Final = 16  # more would only queue in the API server
READ_PAUSES: Final = (0.2, 1.0)  # before the second and the third try of a GET
MAX_PAUSE: Final = 5.0  # the longest Retry-After that a GET waits for


@dataclass(frozen=True, slots=True)
class KubeRequest:
    """One request to the API server."""

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
        """Whether an error message of the server might quote a secret value."""
        return self.method != "GET" and kind_of(self.path) == "Secret"


class KubeReads:
    """A session with the API server that only reads: `async with KubeReads() as reader`.

    GETs are repeated after Unreachable; a 401, on which the server did not act, is repeated once with credentials
    read again. All methods raise KubeError.
    """

    def __init__(self, connection: Connection | None = None) -> None:
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._clock = ServerClock()
        self.connection = connection or Connection()

    async def __aenter__(self) -> Self:
        await self.connection.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.connection.close()

    def beside(self, concurrency: int) -> Self:
        """The same session with separate slots: its calls do not wait behind many others."""
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
        """Read. An `urgent` call (also below) does not wait for a free slot and is not repeated."""
        call = KubeRequest("GET", path, params, accept=accept, seconds=timeout)
        for pause in () if urgent else READ_PAUSES:
            try:
                return await self._send(call, urgent=urgent)
            except Unreachable as error:
                wait = pause if error.retry_after is None else error.retry_after
                if wait > MAX_PAUSE:
                    raise
            await asyncio.sleep(wait)
        return await self._send(call, urgent=urgent)

    async def find(
        self,
        path: str,
        accept: str = JSON,
        *,
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - handed to the transport
        urgent: bool = False,
    ) -> dict[str, Any] | None:
        """As `get`; None if it does not exist."""
        try:
            return await self.get(path, accept=accept, timeout=timeout, urgent=urgent)
        except NotFound:
            return None

    async def list_pages(
        self, path: str, limit: int = 500, params: Mapping[str, str] | None = None, accept: str = JSON
    ) -> AsyncIterator[dict[str, Any]]:
        """The pages of a list. After Expired the caller starts over."""
        query = {**(params or {}), "limit": str(limit)}
        while True:
            page = await self.get(path, query, accept, timeout=LIST_SECONDS)
            yield page
            following = page["metadata"].get("continue")
            if not following:
                return
            query["continue"] = following

    async def get_text(self, path: str, params: Mapping[str, str] | None = None) -> str:
        """Read a text other than JSON, such as the log of a pod."""
        answer = await self._answer(KubeRequest("GET", path, params, accept="*/*", seconds=LIST_SECONDS))
        return answer.body.decode(errors="replace")

    def _check(self, call: KubeRequest, *, urgent: bool) -> None:  # noqa: ARG002 - asked by those that write
        """Raise if the call may not be sent now."""
        if call.method != "GET":
            raise AssertionError(f"a client that only reads was about to send {call.method}")

    async def _send(self, call: KubeRequest, *, urgent: bool = False) -> dict[str, Any]:
        answer = await self._answer(call, urgent=urgent)
        return _parsed(answer.body, answer.status)

    async def _answer(self, call: KubeRequest, *, urgent: bool = False) -> HttpAnswer:
        slot: AbstractAsyncContextManager[None] = nullcontext() if urgent else self._slots
        async with slot:
            asked = time.monotonic()
            try:
                return await self._exchange(call, urgent=urgent)
            except KubeError as error:
                if error.status != 401 or not await self.connection.renew(asked):
                    raise
            return await self._exchange(call, urgent=urgent)

    async def _exchange(self, call: KubeRequest, *, urgent: bool) -> HttpAnswer:
        await self.connection.refresh()  # before the check, as it may take a while
        self._check(call, urgent=urgent)
        sent = unix_seconds()
        answer = await self.connection.exchange(call.method, call.target, call.headers, call.body, call.seconds)
        self._clock.observe(answer.headers.get("Date"), sent, unix_seconds())
        if answer.status >= 300:
            raise error_of(answer.status, answer.body, answer.headers.get("Retry-After"), discreet=call.discreet)
        return answer


def _parsed(raw: bytes, status: int) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except ValueError as error:
        raise Unreachable("the response is not JSON", status=status, reason="Unreadable") from error
    if not isinstance(answer, dict):
        raise Unreachable("the response is not an object", status=status, reason="Unreadable")
    return answer
