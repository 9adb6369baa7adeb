"""Control calls that read."""

from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from coldsend_emulator import switches
from coldsend_emulator.clock import rfc3339
from coldsend_emulator.control.common import TheWorld, inbox_named
from coldsend_emulator.faults import Fault
from coldsend_emulator.inboxes import Inbox
from coldsend_emulator.request_log import LogEntry
from coldsend_emulator.rows import domain_row
from coldsend_emulator.world import World

router = APIRouter()


@router.get("/inboxes")
async def see_inboxes(
    world: TheWorld, workspace: str | None = None, address: str | None = None, domain_id: str | None = None
) -> Response:
    found = [
        inbox
        for each in world.workspaces.values()
        if workspace in {None, each.name}
        for inbox in (each.inboxes.with_address(address) if address else each.inboxes)
        if domain_id in {None, inbox.domain_id}
    ]
    return JSONResponse({"inboxes": [inbox_fields(inbox) for inbox in found]})


@router.get("/inboxes/{inbox}")
async def see_inbox(world: TheWorld, inbox: str) -> Response:
    return JSONResponse(inbox_fields(inbox_named(world, inbox)))


@router.get("/history")
async def see_history(
    world: TheWorld,
    workspace: str | None = None,
    address: str | None = None,
    event: str | None = None,
    by: str | None = None,
) -> Response:
    entries = [
        {**asdict(entry), "at": rfc3339(entry.at)}
        for entry in world.history
        if workspace in {None, entry.workspace}
        and (address is None or address.lower() == entry.email_address.lower())
        and event in {None, entry.event}
        and by in {None, entry.by}
    ]
    return JSONResponse({"history": entries})


@router.get("/summary")
async def see_summary(world: TheWorld) -> Response:
    """Counts of inboxes, events, requests and mails, and the addresses that had two inboxes at once."""
    return JSONResponse(
        {
            "inboxes": {name: len(workspace.inboxes) for name, workspace in world.workspaces.items()},
            "events": _event_counts(world),
            "doubled": [{"workspace": name, "address": address} for name, address in sorted(world.doubled)],
            "requests": world.log.total,
            "mails": sum(len(workspace.mails) for workspace in world.workspaces.values()),
        }
    )


@router.get("/requests")
async def see_requests(
    world: TheWorld,
    operation: str | None = None,
    status: str | None = None,
    latest: Annotated[int, Query(ge=1)] = 1000,
) -> Response:
    found = [
        _log_fields(entry)
        for entry in world.log.entries
        if operation in {None, entry.operation} and status in {None, _status_name(entry)}
    ]
    return JSONResponse({"requests": found[-latest:]})


@router.get("/requests/summary")
async def see_request_counts(world: TheWorld) -> Response:
    log = world.log
    return JSONResponse(
        {
            "total": log.total,
            "connections": len(log.clients),
            "by_operation": log.by_operation,
            "by_method": log.by_method,
            "by_status": log.by_status,
            "by_operation_and_status": log.by_operation_and_status,
            "peaks": {
                pool: {"minute": minute.highest, "hour": hour.highest} for pool, (minute, hour) in log.peaks.items()
            },
        }
    )


@router.get("/mails")
async def see_mails(world: TheWorld, recipient: str | None = None) -> Response:
    mails = [
        {**asdict(mail), "sent_at": rfc3339(mail.sent_at), "workspace": workspace.name}
        for workspace in world.workspaces.values()
        for mail in workspace.mails
        if recipient in {None, mail.recipient}
    ]
    return JSONResponse({"mails": mails})


@router.get("/jobs")
async def see_jobs(world: TheWorld) -> Response:
    shown = [
        {
            "job_id": job.job_id,
            "kind": job.kind,
            "workspace": job.workspace,
            "total": job.total,
            "done": len(job.results),
            "ended": job.ended_on is not None,
            "cut_short": job.cut_short,
        }
        for job in world.jobs.all()
    ]
    return JSONResponse({"jobs": shown})


@router.get("/domains")
async def see_domains(world: TheWorld) -> Response:
    shown = [
        {**domain_row(domain, workspace.inboxes.count_on_domain(domain.domain_id)), "workspace": workspace.name}
        for workspace in world.workspaces.values()
        for domain in workspace.domains.values()
    ]
    return JSONResponse({"domains": shown})


@router.get("/campaigns")
async def see_campaigns(world: TheWorld) -> Response:
    shown = [
        {**asdict(campaign), "inbox_ids": sorted(campaign.inbox_ids), "workspace": workspace.name}
        for workspace in world.workspaces.values()
        for campaign in workspace.campaigns.values()
    ]
    return JSONResponse({"campaigns": shown})


@router.get("/keys")
async def see_keys(world: TheWorld) -> Response:
    return JSONResponse({"keys": [asdict(key) for key in world.keys.all()]})


@router.get("/limits")
async def see_limits(world: TheWorld) -> Response:
    return JSONResponse(asdict(world.limiter.limits))


@router.get("/switches")
async def see_switches(world: TheWorld, workspace: str | None = None) -> Response:
    values = world.switches_of(workspace).values()
    shown = [
        {
            "name": switch.name,
            "rows": switch.rows,
            "value": values[switch.name],
            "default": switch.default,
            "allowed": switch.allowed,
            "meaning": switch.meaning,
        }
        for switch in switches.TABLE
    ]
    return JSONResponse({"switches": shown, "fixed": switches.FIXED})


@router.get("/faults")
async def see_faults(world: TheWorld) -> Response:
    return JSONResponse({"faults": [fault_fields(fault) for fault in world.faults.all()]})


@router.get("/bad-connections")
async def see_bad_connections(world: TheWorld) -> Response:
    bad = world.bad
    return JSONResponse(
        {
            "hosts": sorted(bad.hosts),
            "addresses": sorted(bad.addresses),
            "password_digests": sorted(bad.password_digests),
        }
    )


def inbox_fields(inbox: Inbox) -> dict[str, Any]:
    shown = asdict(inbox)
    for name in ("created_on", "removed_on"):
        del shown[name]
    return {**shown, "created_at": rfc3339(inbox.created_at)}


def fault_fields(fault: Fault) -> dict[str, Any]:
    hidden = {"released", "body"}
    return {name: getattr(fault, name) for name in Fault.__dataclass_fields__ if name not in hidden}


def _event_counts(world: World) -> dict[str, int]:
    return dict(Counter(f"{entry.event} by {entry.by}" for entry in world.history))


def _status_name(entry: LogEntry) -> str:
    return "cut" if entry.status is None else str(entry.status)


def _log_fields(entry: LogEntry) -> dict[str, Any]:
    return {**asdict(entry), "at": rfc3339(entry.at)}
