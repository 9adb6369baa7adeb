"""Builds responses to writes and refusals."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse

from coldsend_emulator.keys import Key
from coldsend_emulator.refusals import Refusal
from coldsend_emulator.switches import Switches
from coldsend_emulator.workspaces import Workspace
from coldsend_emulator.world import World


@dataclass(frozen=True)
class Call:
    """An admitted request: its key and workspace, and its operation."""

    world: World
    workspace: Workspace
    key: Key
    operation: str

    @property
    def switches(self) -> Switches:
        return self.world.switches_of(self.workspace.name)


def world_of(request: Request) -> World:
    """The world of a request, which the gate attached."""
    world = request.scope["world"]
    if not isinstance(world, World):
        raise TypeError("the request did not come through the gate")
    return world


async def _current_call(request: Request) -> Call:
    call = request.scope["call"]
    if not isinstance(call, Call):
        raise TypeError("the gate attached no call to the request")
    return call


CurrentCall = Annotated[Call, Depends(_current_call)]


def written(call: Call, body: dict[str, Any], code: str) -> Response:
    """The response to a successful write; `code` is the value of a switch: 200, 201, 202, 204 or 200_empty."""
    if _success_is_false(call.switches, "although_done"):
        body = {**body, "success": False}
    if code in {"204", "200_empty"}:
        return Response(status_code=int(code[:3]))
    return JSONResponse(body, status_code=int(code))


def refused(refusal: Refusal, switches: Switches) -> Response:
    if refusal.status in {400, 409} and _success_is_false(switches, "refusals"):
        return JSONResponse({"success": False, "message": refusal.sentence()})
    return JSONResponse(refusal.body(), status_code=refusal.status, headers=refusal.headers)


def _success_is_false(switches: Switches, case: str) -> bool:
    return switches.choice("success_false") == case
