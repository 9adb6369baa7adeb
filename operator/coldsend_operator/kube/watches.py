"""The session of kopf's watches, with their errors and how long they are silent.

kopf closes a silent watch after `IDLE_SECONDS` and reopens it; the API server sends a bookmark each minute.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import aiohttp
from yarl import URL

from coldsend_operator.kube.connection import LOGIN_SECONDS, Connection, Handler
from coldsend_operator.kube.paths import KINDS, Kind, kind_of
from coldsend_operator.logs import Event, Recurring

IDLE_SECONDS: Final = 80.0
"""A watch without any data for this long counts as dead."""
MIN_SECONDS: Final = 1.0
"""Minimum duration of a watch: kopf reopens one at once, and a proxy may end each at once."""


class Watches:
    """`on_silence(kind)` is called for each watch closed because it fell silent."""

    def __init__(
        self, connection: Connection, on_silence: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._on_silence = on_silence
        self._clock = clock
        self._heard: dict[str, float] = {}  # time of the last data, by path
        self._begun: dict[str, float] = {}  # time of the last opening, by path
        self._requested: set[str] = set()
        self._troubles: defaultdict[str, Recurring] = defaultdict(lambda: Recurring(Event.WATCH_FAILED))
        self._short: defaultdict[str, Recurring] = defaultdict(lambda: Recurring(Event.WATCH_FAILED))

    def starting(self) -> None:
        """Kopf starts, and has neither listed nor watched anything yet."""
        self._requested.clear()

    @property
    def unwatched(self) -> set[Kind]:
        """Our kinds that kopf has neither listed nor watched since it started."""
        return {kind for kind in KINDS if kind not in self._requested}

    def open_session(self) -> aiohttp.ClientSession:
        return self._connection.open_session(self._ask, connections=0)

    @property
    def server(self) -> str:
        return self._connection.login.server

    @property
    def _prefix(self) -> str:
        """The path before those of the API, as behind the proxy of Rancher: `/k8s/clusters/ID`."""
        return URL(self.server).path.rstrip("/")

    @property
    def silent_seconds(self) -> dict[str, float]:
        """By kind: for how long its watch, or the most silent of several, has had no data."""
        now, longest = self._clock(), dict[str, float]()
        for path, heard in self._heard.items():
            longest[kind_of(path)] = max(longest.get(kind_of(path), 0.0), now - heard)
        return longest

    def forget(self) -> None:
        """The watches are stopped on purpose."""
        self._heard.clear()
        self._begun.clear()

    async def _ask(self, request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        path, asked = request.url.path.removeprefix(self._prefix), time.monotonic()
        watching = "watch" in request.url.query
        self._requested.add(kind_of(path))
        if watching:
            self._reopened(path)
        trouble = self._troubles[path]
        try:
            response = await handler(request)
            if response.status == 401 and await self._connection.renew(asked):
                response.release()
                response = await handler(request)
            if response.status == 401:  # kopf logs in and asks again at once, with the same credentials
                await asyncio.sleep(LOGIN_SECONDS)
        except (aiohttp.ClientError, OSError) as error:
            if not request.session.closed:  # kopf is ending
                trouble.failed(f"GET {path}: {str(error) or type(error).__name__}")
            raise
        if response.status == 404:
            return response  # the CRD is missing; the CRD guard reports that
        if response.status == 403 and not watching:
            return response  # reported by the own list, once for both kinds
        if response.status >= 400:
            trouble.failed(f"GET {path}: HTTP {response.status} {response.reason}")
            return response
        trouble.ended()
        if watching:
            heard: Any = _Heard(response.content, lambda: self._hear(path), lambda: self._end(path))
            response.content = heard
        elif path in self._heard:
            self._heard[path] = self._clock()
        return response

    def _hear(self, path: str) -> None:
        self._heard[path] = self._clock()
        self._short[path].ended()

    async def _end(self, path: str) -> None:
        lasted = self._clock() - self._begun.get(path, float("-inf"))
        if lasted < MIN_SECONDS:
            if self._heard[path] < self._begun[path]:
                self._short[path].failed(f"GET {path}: the watch ended at once, without an event")
            await asyncio.sleep(MIN_SECONDS - lasted)

    def _reopened(self, path: str) -> None:
        """A watch starts: check whether the one before it was silent."""
        now = self._clock()
        silent = now - max(self._heard.setdefault(path, now), self._begun.get(path, 0.0))
        self._begun[path] = now
        if silent >= IDLE_SECONDS:
            kind = kind_of(path)
            self._on_silence(kind)
            Recurring(Event.WATCH_SILENT, kind=kind).failed(
                f"the watch {path} was silent for {silent:.0f} s, without even a bookmark; it is reopened"
            )


class _Heard:
    """The content of a response, with a callback for each chunk and one for the end."""

    def __init__(
        self, content: aiohttp.StreamReader, on_piece: Callable[[], None], on_end: Callable[[], Awaitable[None]]
    ) -> None:
        self._content = content
        self._on_piece = on_piece
        self._on_end = on_end

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        try:
            async for piece in self._content.iter_chunked(size):
                self._on_piece()
                yield piece
        except aiohttp.ClientError:
            await self._on_end()
            raise
        await self._on_end()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)
