"""Shared by the control routes: the world, and inboxes by id or address."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict

from coldsend_emulator.answers import world_of
from coldsend_emulator.inboxes import Inbox
from coldsend_emulator.world import World

DEFAULT_WORKSPACE = "default"


class ControlBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


async def _world(request: Request) -> World:
    return world_of(request)


TheWorld = Annotated[World, Depends(_world)]


def inbox_named(world: World, name: str) -> Inbox:
    """The inbox with this id, or the first with this address in any workspace."""
    inbox = world.find_inbox(name) or next(world.inboxes_with(name), None)
    if inbox is None:
        raise HTTPException(404, f"no inbox has the id or address {name}")
    return inbox


def unknown(what: str, name: str) -> HTTPException:
    return HTTPException(404, f"there is no {what} {name}")
