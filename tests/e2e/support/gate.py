"""A proxy between an operator and an API: it holds chosen requests before or after their work, or blocks all.

With it a process can be killed exactly between any two of its steps.
"""

import asyncio
import re
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from aiohttp import web

When = Literal["before", "after"]
_NOT_PASSED = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "authorization"})
_START_SECONDS = 30.0


@dataclass(eq=False)
class Hold:
    """Matches the first request whose text contains all patterns in `parts`."""

    parts: tuple[str, ...]
    when: When
    request: web.BaseRequest | None = None
    reached: threading.Event = field(default_factory=threading.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: bool = False

    def takes(self, request: web.BaseRequest, text: str) -> bool:
        if self.request is not None or not all(re.search(part, text) for part in self.parts):
            return False
        self.request = request
        return True

    @property
    def abandoned(self) -> bool:
        """Whether the client no longer waits for the response."""
        transport = self.request.transport if self.request is not None else None
        return transport is None or transport.is_closing()


class Gate:
    """Serves in its own thread; `url` is the address for the operator."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._holds: list[Hold] = []
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._end = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._passing: set[asyncio.Transport] = set()
        self.url = ""

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(_START_SECONDS), "the gate did not open"

    def stop(self) -> None:
        self.drop()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def close(self) -> None:
        """Block all requests, and close every open connection."""
        self._loop.call_soon_threadsafe(self._cut_off)

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self._open.set)

    def hold(self, *parts: str, when: When) -> Hold:
        hold = Hold(parts, when)
        self._holds.append(hold)
        return hold

    def release(self, hold: Hold) -> None:
        """Let the held request continue."""
        self._forget(hold)

    def drop(self, besides: Collection[Hold] = ()) -> None:
        """Forget all other holds; their requests never continue."""
        for hold in list(self._holds):
            if hold not in besides:
                hold.dropped = True
                self._forget(hold)

    def _forget(self, hold: Hold) -> None:
        self._holds.remove(hold)
        self._loop.call_soon_threadsafe(hold.released.set)

    # Serving

    def _cut_off(self) -> None:
        self._open.clear()
        for transport in self._passing:
            transport.abort()

    async def _serve(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False, trust_env=False) as self._session:
            runner = web.ServerRunner(web.Server(self._pass), shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = "http://{}:{}".format(*runner.addresses[0][:2])
            self._started.set()
            await self._end.wait()
            await runner.cleanup()
            left = asyncio.all_tasks() - {asyncio.current_task()}  # of clients that were killed
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _pass(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            return _cut(request)
        self._passing.add(transport)
        try:
            return await self._pass_on(request)
        finally:
            self._passing.discard(transport)

    async def _pass_on(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        hold = self._hold_for(request, body)
        if hold is not None and hold.when == "before":
            await hold.released.wait()
        if not self._open.is_set() or (hold is not None and hold.dropped):
            return _cut(request)
        try:
            async with self._session.request(
                request.method,
                self._upstream + request.raw_path,
                headers=_passed_on(request.headers),
                data=body or None,  # an empty body would get a content type
                allow_redirects=False,
            ) as answer:
                return await self._answer(request, answer, hold)
        except aiohttp.ClientError:
            return _cut(request)

    def _hold_for(self, request: web.BaseRequest, body: bytes) -> Hold | None:
        if not self._holds:
            return None
        headers = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
        text = f"{request.method} {request.raw_path}\n{headers}\n{body.decode(errors='replace')}"
        hold = next((hold for hold in self._holds if hold.takes(request, text)), None)
        if hold is not None and hold.when == "before":
            hold.reached.set()
        return hold

    @staticmethod
    async def _answer(
        request: web.BaseRequest, answer: aiohttp.ClientResponse, hold: Hold | None
    ) -> web.StreamResponse:
        if "watch=" in request.raw_path:
            stream = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
            await stream.prepare(request)
            async for chunk in answer.content.iter_any():
                await stream.write(chunk)
            return stream
        body = await answer.read()
        if hold is not None and hold.when == "after":
            hold.reached.set()
            await hold.released.wait()
            if hold.dropped:
                return _cut(request)
        return web.Response(status=answer.status, headers=_passed_on(answer.headers), body=body)


def _passed_on(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in _NOT_PASSED]


def _cut(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)  # to nobody


@contextmanager
def gate(upstream: str) -> Iterator[Gate]:
    opened = Gate(upstream)
    opened.start()
    try:
        yield opened
    finally:
        opened.stop()
