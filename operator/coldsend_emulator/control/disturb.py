"""Control calls that change behavior: switches, limits, the clock, bad connections, faults, reset."""

import re
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import JSONResponse
from pydantic import Field, field_validator, model_validator

from coldsend_emulator import operations
from coldsend_emulator.control.common import ControlBody, TheWorld, unknown
from coldsend_emulator.control.look import fault_fields
from coldsend_emulator.faults import Fault, Kind, When
from coldsend_emulator.limits import Limits
from coldsend_emulator.world import World

router = APIRouter()

_USUAL_TIME: dict[str, When] = {"not_json": "after", "truncated": "after"}


class NewLimits(ControlBody):
    per_minute: int | None = Field(default=None, ge=1)  # null: no limit
    per_hour: int | None = Field(default=None, ge=1)


class Advance(ControlBody):
    advance_seconds: float = Field(ge=0)


class Connections(ControlBody):
    hosts: list[str] = Field(default_factory=list)
    addresses: list[str] = Field(default_factory=list)
    passwords: list[str] = Field(default_factory=list)


class NewFault(ControlBody):
    kind: Kind
    when: When = "before"
    operation: str | None = None
    method: Literal["GET", "POST", "DELETE"] | None = None
    path: str | None = None
    workspace: str | None = None
    body_contains: str | None = None
    skip: int = Field(default=0, ge=0)
    every: int = Field(default=1, ge=1)
    count: int | None = Field(default=None, ge=1)
    seconds: float = Field(default=0.0, ge=0)
    status: int = Field(default=503, ge=200, le=599)
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)

    @field_validator("operation")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        if value is not None and value not in operations.BY_NAME:
            raise ValueError(f"operations are {', '.join(operations.BY_NAME)}")
        return value

    @field_validator("path")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            re.compile(value)
        return value

    @model_validator(mode="before")
    @classmethod
    def _usual_time(cls, values: Any) -> Any:
        """A spoilt body needs a body, so by default these faults come after the work."""
        if isinstance(values, dict) and values.get("kind") in _USUAL_TIME:
            return {"when": _USUAL_TIME[values["kind"]], **values}
        return values


@router.put("/switches")
async def set_switches(world: TheWorld, values: dict[str, Any], workspace: str | None = None) -> Response:
    """Set switches of all workspaces or of one, by name or by row; if one is invalid, none is set."""
    before = world.switches_of(workspace).values()
    try:
        (world.switches if workspace is None else world.own_switches(workspace)).set_all(values)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    return _switched(world, workspace, before)


@router.delete("/switches")
async def reset_switches(world: TheWorld, workspace: str | None = None) -> Response:
    before = world.switches_of(workspace).values()
    world.reset_switches(workspace)
    return _switched(world, workspace, before)


@router.put("/limits")
async def set_limits(world: TheWorld, new: NewLimits, workspace: str | None = None) -> Response:
    """Set both limits, for all workspaces or for one, and clear their windows."""
    world.limiter.set(Limits(new.per_minute, new.per_hour), workspace)
    return JSONResponse(new.model_dump())


@router.post("/limits/forget")
async def forget_requests(world: TheWorld, workspace: str | None = None) -> Response:
    """Clear the windows, with unchanged limits."""
    world.limiter.forget(workspace)
    return JSONResponse({"forgotten": True})


@router.post("/clock")
async def advance_clock(world: TheWorld, wanted: Advance) -> Response:
    """Move windows, jobs and delays forward, but not the server's wall clock."""
    world.clock.advance(wanted.advance_seconds)
    world.settle()
    return JSONResponse({"advanced": wanted.advance_seconds})


@router.post("/bad-connections")
async def add_bad_connections(world: TheWorld, new: Connections) -> Response:
    world.bad.hosts.update(new.hosts)
    world.bad.addresses.update(address.lower() for address in new.addresses)
    for password in new.passwords:
        world.bad.add_password(password)
    return JSONResponse({"added": len(new.hosts) + len(new.addresses) + len(new.passwords)})


@router.delete("/bad-connections")
async def clear_bad_connections(world: TheWorld, address: str | None = None) -> Response:
    """Let the connection check succeed again, for all or for one address."""
    if address is None:
        world.bad.clear()
    else:
        world.bad.addresses.discard(address.lower())
    return JSONResponse({"cleared": True})


@router.post("/faults", status_code=201)
async def add_fault(world: TheWorld, new: NewFault) -> Response:
    return JSONResponse(fault_fields(world.faults.add(**new.model_dump())), status_code=201)


@router.get("/faults/{fault_id}")
async def see_fault(world: TheWorld, fault_id: str) -> Response:
    return JSONResponse(fault_fields(_fault(world, fault_id)))


@router.get("/faults/{fault_id}/wait")
async def wait_for_fault(world: TheWorld, fault_id: str, hits: int = 1, seconds: float = 10) -> Response:
    """Respond when this many requests were hit (a pause: are held); 408 if that takes too long."""
    fault = _fault(world, fault_id)
    if not await world.faults.wait_for_hits(fault, hits, seconds):
        raise HTTPException(408, f"{fault_id} was hit {fault.hits} times in {seconds:g} s, not {hits}")
    return JSONResponse(fault_fields(fault))


@router.post("/faults/{fault_id}/release")
async def release_fault(world: TheWorld, fault_id: str) -> Response:
    """Release the requests that a pause holds; later ones are not held."""
    fault = _fault(world, fault_id)
    fault.released.set()
    return JSONResponse(fault_fields(fault))


@router.delete("/faults/{fault_id}")
async def remove_fault(world: TheWorld, fault_id: str) -> Response:
    _fault(world, fault_id)
    world.faults.remove(fault_id)
    return JSONResponse({"removed": 1})


@router.delete("/faults")
async def clear_faults(world: TheWorld) -> Response:
    world.faults.clear()
    return JSONResponse({"cleared": True})


@router.delete("/requests")
async def clear_request_log(world: TheWorld) -> Response:
    world.log.clear()
    return JSONResponse({"cleared": True})


@router.post("/reset")
async def start_afresh(world: TheWorld) -> Response:
    """Remove everything except keys and limits, and reset all switches."""
    world.faults.clear()
    world.reset_switches()
    world.start_afresh()
    return JSONResponse({"reset": True})


def _fault(world: World, fault_id: str) -> Fault:
    fault = world.faults.get(fault_id)
    if fault is None:
        raise unknown("fault", fault_id)
    return fault


def _switched(world: World, workspace: str | None, before: dict[str, str | float | None]) -> Response:
    values = world.switches_of(workspace).values()
    if before["window_kind"] != values["window_kind"]:
        world.limiter.forget(workspace)
    return JSONResponse(values)
