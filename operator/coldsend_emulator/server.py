"""Serves over HTTP, with uvicorn and httptools; connections can be cut, and the end is immediate."""

import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from coldsend_emulator.app import build_app
from coldsend_emulator.connections import Connections
from coldsend_emulator.world import World

KEEP_ALIVE_SECONDS = 120
BACKLOG = 2048


class EmulatorProtocol(HttpToolsProtocol):
    """Records the open connections. uvicorn creates one protocol for each, so they are stored in the class."""

    connections_open: ClassVar = Connections()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.client:
            self.connections_open.opened(self.client, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client:
            self.connections_open.closed(self.client)
        super().connection_lost(exc)


class EmulatorServer(uvicorn.Server):
    """Reports when it is ready, and ends immediately, as it has nothing to save."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 -- the signature of a signal handler
        self.end()

    def end(self) -> None:
        self.should_exit = True
        self.force_exit = True


def listen(host: str, port: int) -> socket.socket:
    """Listen; an empty host means all interfaces, IPv4 and IPv6. Raises OSError if the address cannot be used."""
    every = not host and socket.has_dualstack_ipv6()
    listener = socket.socket(socket.AF_INET6 if every or ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if every:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def serve(world: World, listener: socket.socket, on_ready: Callable[[], None], *, until_stdin_closes: bool) -> None:
    """Serve until SIGTERM, SIGINT or, if requested, the end of standard input."""
    config = uvicorn.Config(
        build_app(world, EmulatorProtocol.connections_open),
        http=EmulatorProtocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        date_header=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        backlog=BACKLOG,
    )
    server = EmulatorServer(config, on_ready)
    if until_stdin_closes:
        threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    server.run(sockets=[listener])


def _end_with_stdin(server: EmulatorServer) -> None:
    while os.read(sys.stdin.fileno(), 4096):  # a buffered read would hold a lock at the end of the process
        pass
    server.end()
