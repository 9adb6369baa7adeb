"""HTTP without a network: the operator's own client asks the emulator's own application, both on fake time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from starlette.types import Message

from coldsend_emulator.app import build_app
from coldsend_emulator.clock import Clock
from coldsend_emulator.connections import Connections
from coldsend_emulator.world import World
from tests.support.clock import FakeClock, FakeLoop


@dataclass(frozen=True, slots=True)
class Reply:
    """What arrives of an answer; nothing at all when the connection was cut."""

    status: int | None
    headers: list[tuple[bytes, bytes]]
    body: bytes
    whole: bool


@dataclass(eq=False)
class Exchange:
    """One request on its way through the application, on a connection of its own."""

    loop: FakeLoop
    body: bytes
    done: Callable[[Reply], None]
    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    _asked: bool = False
    _over: bool = False

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        if not self._over:
            await self.loop.create_future()  # the client waits for its answer as long as the server likes
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
            return
        self.parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            self._end(whole=True)

    def abort(self) -> None:
        """The connection is cut; what was not sent is lost."""
        self.status = None
        self._end(whole=False)

    def close(self) -> None:
        self._end(whole=False)

    def _end(self, *, whole: bool) -> None:
        if not self._over:
            self._over = True
            self.done(Reply(self.status, self.headers, b"".join(self.parts), whole))


class Wire:
    """The emulator, and the way to it. Work that clients gave up goes on to its end, as on a real server."""

    def __init__(self, clock: FakeClock, offset: float) -> None:
        self.loop = WatchedLoop(clock)  # type: ignore[abstract] # no I/O: what it lacks is never asked for
        self.world = World(lambda switches: Clock(switches, steady=clock, told=lambda: clock() + offset))
        self._connections = Connections()
        self._app = build_app(self.world, self._connections)
        self._ports = count(1024)
        self._tasks: set[asyncio.Task[None]] = set()

    def exchange(self, request: httpx.Request, body: bytes, done: Callable[[Reply], None]) -> None:
        client = ("127.0.0.1", next(self._ports))
        exchange = Exchange(self.loop, body, done)
        self._connections.opened(client, exchange)  # type: ignore[arg-type] # all of a transport that is asked for
        path, _, query = request.url.raw_path.partition(b"?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": httpx.URL(path.decode()).path,
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": client,
            "server": ("coldsend.test", 80),
        }
        task: asyncio.Task[None] = self.loop.create_task(self._app(scope, exchange.receive, exchange.send))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.loop.troubles.append({"message": "the emulator failed", "exception": error})

    @property
    def next_at(self) -> float | None:
        """When something happens there by itself."""
        due = [at for at in (self.loop.next_timer, self.world.schedule.next_at) if at is not None]
        return min(due, default=None)


class WatchedLoop(FakeLoop):
    """Tells whether anything is ready to run."""

    @property
    def has_work(self) -> bool:
        return bool(self._ready) or self._due()


class ClientSide(httpx.AsyncBaseTransport):
    """What the operator's client sends through; `loop` is the operator's."""

    def __init__(self, wire: Wire, loop: FakeLoop) -> None:
        self._wire = wire
        self._loop = loop

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        arrived: asyncio.Future[Reply] = self._loop.create_future()

        def done(reply: Reply) -> None:
            if not arrived.done():
                arrived.set_result(reply)

        self._wire.exchange(request, body, done)
        reply = await arrived
        if reply.status is None:
            raise httpx.ReadError("connection reset", request=request)
        return httpx.Response(reply.status, headers=reply.headers, stream=_Body(reply))


class _Body(httpx.AsyncByteStream):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._reply.body
        if not self._reply.whole:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


class ControlSide(httpx.BaseTransport):
    """What a test reaches the control side through; answered at once."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        replies: list[Reply] = []
        self._wire.exchange(request, request.read(), replies.append)
        self._wire.loop.run_ready()
        (reply,) = replies
        assert reply.status is not None
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body)
