"""The HTTP server behind probes and metrics: where it listens, and its end."""

import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from coldsend_operator.setting_values import Address

_WITHOUT_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


@asynccontextmanager
async def serving(site: web.Application, address: Address) -> AsyncIterator[Address]:
    """Serve the site while the context is open; yields the address with the port that was taken.

    Raises:
        OSError: the address cannot be used.
    """
    runner = web.AppRunner(site, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        if address.host:
            await web.TCPSite(runner, address.host, address.port).start()
        else:
            await web.SockSite(runner, _on_every_interface(address.port)).start()
        yield Address(address.host, runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _on_every_interface(port: int) -> socket.socket:
    """One socket for IPv4 and IPv6; for IPv4 alone where the machine has no IPv6."""
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
