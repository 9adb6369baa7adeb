"""Domains: list, details, add, activate, progress, delete."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from coldsend_emulator import payloads, rows
from coldsend_emulator.answers import Call, CurrentCall, written
from coldsend_emulator.refusals import Refusal, domain_not_found
from coldsend_emulator.routes.accounts import Page, PageLimit
from coldsend_emulator.workspaces import Domain

router = APIRouter(prefix="/domains")

NEW_DOMAIN_CAPACITY = 100
_PROGRESS = {
    "PENDING": ("PENDING", 0),
    "DNS_CONFIGURING": ("IN_PROGRESS", 20),
    "DNS_PENDING": ("IN_PROGRESS", 40),
    "SERVICES_CONFIGURING": ("IN_PROGRESS", 70),
    "ACTIVE": ("COMPLETED", 100),
    "FAILED": ("FAILED", 100),
}


@router.get("")
async def list_domains(
    call: CurrentCall, page: Page = 1, limit: PageLimit = 20, status: Annotated[str | None, Query()] = None
) -> Response:
    found = [domain for domain in call.workspace.domains.values() if status in {None, domain.status}]
    shown = found[(page - 1) * limit : page * limit]
    return JSONResponse(
        {
            "success": True,
            "message": "Domains retrieved successfully",
            "domains": [_row(call, domain) for domain in shown],
            "pagination": rows.pagination(page, limit, len(found)),
        }
    )


@router.post("")
async def add_domain(call: CurrentCall, request: Request) -> Response:
    name = payloads.read(payloads.DomainCreate, await request.body(), call.switches).domain
    if any(workspace.domain_named(name) for workspace in call.world.workspaces.values()):
        raise Refusal(409, f"Domain {name} already exists")
    domain = call.world.add_domain(call.workspace.name, name, "DNS_PENDING", NEW_DOMAIN_CAPACITY)
    head = {"success": True, "message": "Domain added successfully"}
    name_servers = ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"]
    return written(call, {**head, **_row(call, domain), "name_servers": name_servers}, "201")


@router.get("/{domain_id}")
async def get_domain(call: CurrentCall, domain_id: UUID) -> Response:
    domain = _domain(call, domain_id)
    records = [{"type": "MX", "name": domain.domain_name, "value": "mail.coldsend.pro", "priority": 10}]
    head = {"success": True, "message": "Domain retrieved successfully"}
    return JSONResponse({**head, **_row(call, domain), "dns_records": records})


@router.delete("/{domain_id}")
async def delete_domain(call: CurrentCall, domain_id: UUID) -> Response:
    domain = _domain(call, domain_id)
    inboxes = call.workspace.inboxes.on_domain(domain.domain_id)
    treatment = call.switches.choice("domain_delete")
    if treatment == "refused" and inboxes:
        raise Refusal(409, f"Domain {domain.domain_name} still has inboxes")
    if treatment == "deletes_inboxes":
        for inbox in inboxes:
            call.world.remove(inbox, call.operation, call.world.clock.now())
    del call.workspace.domains[domain.domain_id]
    body = {"success": True, "message": "Domain deleted successfully", "deleted": True}
    return written(call, {**body, "domain_id": domain.domain_id, "domain_name": domain.domain_name}, "200")


@router.post("/{domain_id}/activate")
async def activate_domain(call: CurrentCall, domain_id: UUID) -> Response:
    domain = _domain(call, domain_id)
    if domain.status != "DNS_PENDING":
        raise Refusal(400, f"Domain {domain.domain_name} is {domain.status}, not DNS_PENDING")
    seconds = call.switches.amount("domain_setup_seconds")
    domain.status = "SERVICES_CONFIGURING"
    domain.cloudflare_verified = True
    call.world.schedule.at(call.world.clock.now() + seconds, partial(_activated, domain))
    body = {
        "success": True,
        "message": "Domain activation started",
        "domain_id": domain.domain_id,
        "domain_name": domain.domain_name,
        "status": domain.status,
        "dns_verified": True,
        "progress_url": f"/domains/{domain.domain_id}/progress",
        "estimated_seconds": seconds,
    }
    return written(call, body, "200")


@router.get("/{domain_id}/progress")
async def get_domain_progress(call: CurrentCall, domain_id: UUID) -> Response:
    domain = _domain(call, domain_id)
    status, percentage = _PROGRESS.get(domain.status, ("IN_PROGRESS", 50))
    return JSONResponse(
        {
            "domain_id": domain.domain_id,
            "domain_name": domain.domain_name,
            "status": status,
            "progress_percentage": percentage,
            "is_complete": status == "COMPLETED",
            "is_failed": status == "FAILED",
            "message": "Setup failed" if status == "FAILED" else f"Setup is {percentage} % done",
        }
    )


def _domain(call: Call, domain_id: UUID) -> Domain:
    domain = call.workspace.domains.get(str(domain_id))
    if domain is None:
        raise domain_not_found()
    return domain


def _row(call: Call, domain: Domain) -> dict[str, Any]:
    return rows.domain_row(domain, call.workspace.inboxes.count_on_domain(domain.domain_id))


def _activated(domain: Domain, _moment: float) -> None:
    if domain.status == "SERVICES_CONFIGURING":
        domain.status = "ACTIVE"
        domain.mailcow_added = True
