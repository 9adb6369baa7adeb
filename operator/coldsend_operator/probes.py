"""What the kubelet asks: `/healthz` (the loops are alive) and `/readyz` (the caches are filled)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from coldsend_operator.http import serving
from coldsend_operator.setting_values import Address


@asynccontextmanager
async def answering(
    address: Address | None, alive: Callable[[], bool], ready: Callable[[], bool]
) -> AsyncIterator[None]:
    """Answer the probes while the context is open; `address` None: off.

    Raises:
        OSError: the address cannot be used.
    """
    if address is None:
        yield
        return
    site = web.Application()
    site.router.add_get("/healthz", _answer(alive))
    site.router.add_get("/readyz", _answer(ready))
    async with serving(site, address):
        yield


def _answer(good: Callable[[], bool]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:  # noqa: ARG001 - signature of aiohttp
        return web.Response(text="ok") if good() else web.Response(status=503, text="not yet")

    return answer
