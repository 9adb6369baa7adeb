"""Changes of inboxes, domains, campaigns and keys: what a person does in the dashboard, and the setup of tests."""

import math
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from coldsend_emulator import operations
from coldsend_emulator.control.common import DEFAULT_WORKSPACE, ControlBody, TheWorld, inbox_named, unknown
from coldsend_emulator.control.look import inbox_fields
from coldsend_emulator.inboxes import Inbox, Mailbox
from coldsend_emulator.keys import Key, digest
from coldsend_emulator.workspaces import Campaign, Domain, Workspace
from coldsend_emulator.world import World

router = APIRouter()

BY = "control"
InboxType = Literal["COLDSEND", "GOOGLE_WORKSPACE", "OUTLOOK_365", "CUSTOM_SMTP"]
CampaignState = Literal["DRAFT", "ACTIVE", "PAUSED", "COMPLETED", "FAILED"]
Scopes = Annotated[list[str], Field(default_factory=lambda: [operations.EVERYTHING])]


class InboxValues(ControlBody):
    """The changeable fields of a row; fields that are not given stay."""

    display_name: str | None = None
    inbox_type: InboxType | None = None
    overall_status: str | None = None
    daily_limit: int | None = None
    emails_sent_today: int | None = None
    health_score: float | None = None
    created_at: float | None = None  # Unix seconds
    status_reason: str | None = None


class SeedInbox(InboxValues):
    email_address: str
    domain_id: str | None = None
    smtp_host: str = "smtp.example.com"
    smtp_password: str = "seeded"  # noqa: S105 -- of made-up inboxes


class Seed(ControlBody):
    workspace: str = DEFAULT_WORKSPACE
    inboxes: list[SeedInbox] = Field(default_factory=list)
    pattern: str | None = None  # with {n}: the addresses of `count` more inboxes
    count: int = Field(default=0, ge=0)
    values: InboxValues = Field(default_factory=InboxValues)


class ChangeOne(InboxValues):
    inbox: str  # id or address


class ChangeMany(ControlBody):
    changes: list[ChangeOne]


class DeleteMany(ControlBody):
    workspace: str = DEFAULT_WORKSPACE
    inboxes: list[str] | None = None  # ids or addresses; null: all of the workspace


class PasswordCheck(ControlBody):
    smtp_password: str | None = None
    imap_password: str | None = None


class NewDomain(ControlBody):
    domain_name: str
    workspace: str = DEFAULT_WORKSPACE
    status: str = "ACTIVE"
    max_inboxes: int = 1000


class DomainValues(ControlBody):
    status: str | None = None
    max_inboxes: int | None = None


class NewCampaign(ControlBody):
    name: str = "campaign"
    workspace: str = DEFAULT_WORKSPACE
    state: CampaignState = "ACTIVE"
    inboxes: list[str] = Field(default_factory=list)  # ids or addresses


class CampaignValues(ControlBody):
    state: CampaignState | None = None
    inboxes: list[str] | None = None


class NewKey(ControlBody):
    key: str
    workspace: str = DEFAULT_WORKSPACE
    scopes: Scopes


class KeyValues(ControlBody):
    key: str
    scopes: list[str] | None = None
    revoked: bool | None = None


@router.post("/inboxes", status_code=201)
async def seed_inboxes(world: TheWorld, seed: Seed) -> Response:
    """Add inboxes as if they had always existed. The response has their ids in order."""
    wanted = list(seed.inboxes)
    if seed.count:
        if seed.pattern is None or "{n}" not in seed.pattern:
            raise HTTPException(422, "count needs a pattern with {n}")
        values = seed.values.model_dump(exclude_unset=True)
        wanted += [SeedInbox(email_address=seed.pattern.replace("{n}", str(n)), **values) for n in range(seed.count)]
    seeded = [_seeded(world, seed.workspace, each) for each in wanted]
    return JSONResponse({"inbox_ids": [inbox.inbox_id for inbox in seeded]}, status_code=201)


@router.patch("/inboxes/{inbox}")
async def change_inbox(world: TheWorld, inbox: str, values: InboxValues) -> Response:
    found = inbox_named(world, inbox)
    _change(world, found, values.model_dump(exclude_unset=True))
    return JSONResponse(inbox_fields(found))


@router.post("/inboxes/change")
async def change_inboxes(world: TheWorld, wanted: ChangeMany) -> Response:
    for change in wanted.changes:
        values = change.model_dump(exclude_unset=True, exclude={"inbox"})
        _change(world, inbox_named(world, change.inbox), values)
    return JSONResponse({"changed": len(wanted.changes)})


@router.delete("/inboxes/{inbox}")
async def delete_inbox(world: TheWorld, inbox: str) -> Response:
    world.remove(inbox_named(world, inbox), BY, world.clock.now())
    return JSONResponse({"deleted": 1})


@router.post("/inboxes/delete")
async def delete_inboxes(world: TheWorld, wanted: DeleteMany) -> Response:
    everything = list(world.workspace(wanted.workspace).inboxes)
    chosen = everything if wanted.inboxes is None else [inbox_named(world, name) for name in wanted.inboxes]
    for inbox in chosen:
        world.remove(inbox, BY, world.clock.now())
    return JSONResponse({"deleted": len(chosen)})


@router.post("/inboxes/{inbox}/password-check")
async def check_passwords(world: TheWorld, inbox: str, wanted: PasswordCheck) -> Response:
    """Whether the inbox was created with these passwords; null for one that is not given."""
    found = inbox_named(world, inbox)
    return JSONResponse(
        {"smtp": _matches(found.smtp, wanted.smtp_password), "imap": _matches(found.imap, wanted.imap_password)}
    )


@router.post("/domains", status_code=201)
async def add_domain(world: TheWorld, new: NewDomain) -> Response:
    domain = world.add_domain(new.workspace, new.domain_name, new.status, new.max_inboxes)
    return JSONResponse({"domain_id": domain.domain_id}, status_code=201)


@router.patch("/domains/{domain}")
async def change_domain(world: TheWorld, domain: str, values: DomainValues) -> Response:
    _, found = _domain_named(world, domain)
    for name, value in values.model_dump(exclude_unset=True).items():
        setattr(found, name, value)
    return JSONResponse({"domain_id": found.domain_id})


@router.delete("/domains/{domain}")
async def delete_domain(world: TheWorld, domain: str) -> Response:
    """Remove a domain; its inboxes stay."""
    workspace, found = _domain_named(world, domain)
    del workspace.domains[found.domain_id]
    return JSONResponse({"deleted": 1})


@router.post("/campaigns", status_code=201)
async def add_campaign(world: TheWorld, new: NewCampaign) -> Response:
    inbox_ids = {inbox_named(world, name).inbox_id for name in new.inboxes}
    campaign = Campaign(str(uuid.uuid4()), new.name, new.state, inbox_ids)
    world.workspace(new.workspace).campaigns[campaign.campaign_id] = campaign
    return JSONResponse({"campaign_id": campaign.campaign_id}, status_code=201)


@router.patch("/campaigns/{campaign_id}")
async def change_campaign(world: TheWorld, campaign_id: str, values: CampaignValues) -> Response:
    campaign = _holder_of_campaign(world, campaign_id).campaigns[campaign_id]
    if values.state is not None:
        campaign.state = values.state
    if values.inboxes is not None:
        campaign.inbox_ids = {inbox_named(world, name).inbox_id for name in values.inboxes}
    return JSONResponse({"campaign_id": campaign_id})


@router.delete("/campaigns/{campaign_id}")
async def delete_campaign(world: TheWorld, campaign_id: str) -> Response:
    del _holder_of_campaign(world, campaign_id).campaigns[campaign_id]
    return JSONResponse({"deleted": 1})


@router.post("/keys", status_code=201)
async def add_key(world: TheWorld, new: NewKey) -> Response:
    key = world.keys.add(new.key, new.workspace, tuple(new.scopes))
    return JSONResponse({"name": key.name}, status_code=201)


@router.patch("/keys")
async def change_key(world: TheWorld, values: KeyValues) -> Response:
    """Revoke or restore a key, or change its scopes. The key is in the body, so that no path contains it."""
    key = world.keys.find(values.key)
    if key is None:
        raise unknown("key", "like that")
    _change_key(key, values)
    return JSONResponse({"name": key.name})


def _seeded(world: World, workspace: str, seed: SeedInbox) -> Inbox:
    inbox_type = seed.inbox_type or ("COLDSEND" if seed.domain_id else "CUSTOM_SMTP")
    inbox = Inbox(
        inbox_id=str(uuid.uuid4()),
        workspace=workspace,
        email_address=seed.email_address,
        display_name=seed.display_name or seed.email_address.partition("@")[0],
        inbox_type=inbox_type,
        overall_status=seed.overall_status or "ACTIVE",
        daily_limit=seed.daily_limit if "daily_limit" in seed.model_fields_set else 100,
        created_at=world.clock.wall() if seed.created_at is None else seed.created_at,
        created_on=-math.inf,  # listed at once
        emails_sent_today=seed.emails_sent_today or 0,
        health_score=seed.health_score if "health_score" in seed.model_fields_set else 100.0,
        domain_id=seed.domain_id,
        status_reason=seed.status_reason,
    )
    if inbox_type != "COLDSEND":
        side = Mailbox(seed.smtp_host, 587, seed.email_address, digest(seed.smtp_password), encrypted=True)
        inbox.smtp = inbox.imap = side
    world.insert(inbox, BY, world.clock.now())
    return inbox


def _change(world: World, inbox: Inbox, values: dict[str, Any]) -> None:
    world.workspace(inbox.workspace).inboxes.change(inbox, values)


def _matches(side: Mailbox | None, password: str | None) -> bool | None:
    if password is None:
        return None
    return side is not None and side.password_sha256 == digest(password)


def _domain_named(world: World, name: str) -> tuple[Workspace, Domain]:
    for workspace in world.workspaces.values():
        found = workspace.domains.get(name) or workspace.domain_named(name)
        if found:
            return workspace, found
    raise unknown("domain", name)


def _holder_of_campaign(world: World, campaign_id: str) -> Workspace:
    for workspace in world.workspaces.values():
        if campaign_id in workspace.campaigns:
            return workspace
    raise unknown("campaign", campaign_id)


def _change_key(key: Key, values: KeyValues) -> None:
    if values.scopes is not None:
        key.scopes = tuple(values.scopes)
    if values.revoked is not None:
        key.revoked = values.revoked
