"""Where probes, metrics and the emulator listen: real sockets of both families."""

import socket
from contextlib import closing

import pytest
from aiohttp import ClientSession, web

from coldsend_emulator.server import listen
from coldsend_operator.http import serving
from coldsend_operator.setting_values import Address, to_address

LOOPBACKS = ("127.0.0.1", "[::1]")


def site() -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    made = web.Application()
    made.router.add_get("/", answer)
    return made


@pytest.mark.parametrize("host", LOOPBACKS)
async def test_a_port_alone_is_every_interface_of_both_families(host: str) -> None:
    every = to_address(":0")
    assert every is not None
    async with (
        serving(site(), every) as taken,
        ClientSession() as session,
    ):
        assert taken is not None
        async with session.get(f"http://{host}:{taken.port}/") as response:
            assert await response.text() == "ok"


async def test_an_address_of_one_family_stays_so() -> None:
    async with serving(site(), Address("127.0.0.1", 0)) as taken:
        assert taken is not None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("::1", taken.port), timeout=5).close()


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
async def test_a_port_that_is_taken_is_an_error_that_names_the_address(host: str) -> None:
    async with serving(site(), Address(host, 0)) as taken:
        with pytest.raises(OSError, match=f"cannot listen on {taken}: .*in use"):
            async with serving(site(), taken):
                pass


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_emulator_without_a_host_listens_on_both_families_too(host: str) -> None:
    with closing(listen("", 0)) as listener:
        socket.create_connection((host, listener.getsockname()[1]), timeout=5).close()
