"""The HTTP server of probes and metrics, and what the probes answer."""

import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from coldsend_operator.setting_values import Address

_WITHOUT_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


@asynccontextmanager
async def serving(site: web.Application, address: Address | None) -> AsyncIterator[Address | None]:
    """Serve the site while the context is open; yields the address with the port that was taken, None when it is off.

    Raises:
        OSError: the address is not available; the message names it.
    """
    if address is None:
        yield None
        return
    runner = web.AppRunner(site, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        await _listen(runner, address)
        yield Address(address.host, runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: Address) -> None:
    try:
        if address.host:
            await web.TCPSite(runner, address.host, address.port).start()
        else:
            await web.SockSite(runner, _on_every_interface(address.port)).start()
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {address}: {error.strerror}") from None


def _on_every_interface(port: int) -> socket.socket:
    """One socket for IPv4 and IPv6; for IPv4 only if the machine has no IPv6."""
    try:
        return _bound(socket.AF_INET6, "::", port)
    except OSError as error:
        if error.errno not in _WITHOUT_IPV6:
            raise
    return _bound(socket.AF_INET, "0.0.0.0", port)  # noqa: S104 - the kubelet and Prometheus ask from outside


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def probes(alive: Callable[[], bool], ready: Callable[[], bool]) -> web.Application:
    """The probes of the kubelet: `/healthz` (the loops are alive) and `/readyz` (the caches are filled)."""
    site = web.Application()
    site.router.add_get("/healthz", _answer(alive))
    site.router.add_get("/readyz", _answer(ready))
    return site


def _answer(good: Callable[[], bool]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:  # noqa: ARG001 - signature of aiohttp
        return web.Response(text="ok") if good() else web.Response(status=503, text="not yet")

    return answer
