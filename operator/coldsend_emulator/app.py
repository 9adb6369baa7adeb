"""The ASGI application: public API and control API for one world, behind the gate."""

from functools import cache
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from coldsend_emulator import payloads
from coldsend_emulator.answers import Call, refused, world_of
from coldsend_emulator.connections import Connections
from coldsend_emulator.control import changes, disturb, look
from coldsend_emulator.gate import CONTROL_PREFIX, Gate
from coldsend_emulator.operations import BASE_PATH
from coldsend_emulator.refusals import Refusal
from coldsend_emulator.routes import accounts, bulk, creates, domains
from coldsend_emulator.switches import Switches
from coldsend_emulator.world import World


def build_app(world: World, connections: Connections) -> ASGIApp:
    """`connections` are the open connections, which faults may cut."""
    return Gate(_both_sides(), world, connections)


@cache  # reading all signatures takes 0.1 s; each request carries its world
def _both_sides() -> ASGIApp:
    app = FastAPI(title="ColdSend emulator", openapi_url=None, redirect_slashes=False)
    for router in (accounts.router, creates.router, bulk.router, domains.router):
        app.include_router(router, prefix=BASE_PATH)
    for router in (look.router, changes.router, disturb.router):
        app.include_router(router, prefix=CONTROL_PREFIX)

    async def on_refusal(request: Request, refusal: Exception) -> Response:
        if not isinstance(refusal, Refusal):
            raise refusal
        return refused(refusal, _switches(request))

    async def on_invalid(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        return _invalid(request, error)

    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, on_invalid)
    return app


def _switches(request: Request) -> Switches:
    call = request.scope.get("call")
    return call.switches if isinstance(call, Call) else world_of(request).switches


def _invalid(request: Request, error: RequestValidationError) -> Response:
    """The response to invalid paths and queries, and to invalid bodies of control calls."""
    if request.url.path.startswith(CONTROL_PREFIX):
        told: Any = [{"loc": each["loc"], "msg": each["msg"], "type": each["type"]} for each in error.errors()]
    else:
        told = payloads.problems(error.errors(), _switches(request))
    return JSONResponse({"detail": told}, status_code=422)
