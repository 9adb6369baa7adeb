"""Bulk creates and deletes of up to 100 inboxes, and their progress."""

from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from coldsend_emulator import deletion, jobs, payloads
from coldsend_emulator.answers import Call, CurrentCall, written
from coldsend_emulator.creation import Creator, Exists, kept_address, native_address, set_mailboxes
from coldsend_emulator.jobs import Act, Submission
from coldsend_emulator.payloads import NativeInbox, SmtpAccount
from coldsend_emulator.refusals import Refusal, domain_not_found
from coldsend_emulator.results import Result, count, members
from coldsend_emulator.workspaces import Domain

router = APIRouter(prefix="/sender-accounts")

Item = TypeVar("Item", bound=BaseModel)


@router.post("/smtp/bulk")
async def bulk_create_smtp_accounts(call: CurrentCall, request: Request) -> Response:
    items = _smtp_items(call, await request.body())
    items, doubles = _resolve_duplicates(call, items)
    addresses = [_smtp_address(call, item) for item in items]
    creator = Creator(call.world, call.workspace, call.operation)
    treatment = call.switches.choice("existing_in_bulk")
    if treatment == "whole_409":
        _check_existing(creator, addresses)
    _check_plan(creator, len(items))

    def create(place: int, moment: float) -> Result:
        item = items[place]
        if isinstance(item, Refusal):
            return Result("failed", addresses[place], message=item.sentence())
        try:
            inbox = creator.smtp(item, moment, double=place in doubles)
        except Exists as conflict:
            if treatment != "upsert" or conflict.inbox.workspace != call.workspace.name:
                return Result("failed", addresses[place], message=conflict.sentence())
            inbox = conflict.inbox
            set_mailboxes(inbox, item)
        except Refusal as refusal:
            return Result("failed", addresses[place], message=refusal.sentence())
        return Result("created", inbox.email_address, inbox.inbox_id, "Created")

    submission = call.world.jobs.submit(jobs.SMTP_CREATE, call.workspace.name, len(items), create)
    return _first_answer(call, "SMTP accounts are being added", addresses, submission)


@router.post("/coldsend-native/bulk")
async def bulk_create_native_inboxes(call: CurrentCall, request: Request) -> Response:
    domain_id, items = _native_items(call, await request.body())
    domain = call.workspace.domains.get(domain_id)
    if domain is None:
        raise domain_not_found()
    addresses = [_native_address(call, domain, item) for item in items]
    creator = Creator(call.world, call.workspace, call.operation)
    if call.switches.choice("native_bulk_partial") == "whole_409":
        _check_all_native(creator, domain, items, addresses)
    _check_plan(creator, len(items))

    def create(place: int, moment: float) -> Result:
        item = items[place]
        try:
            if isinstance(item, Refusal):
                raise item
            inbox = creator.native(domain, item, moment)
        except Refusal as refusal:
            return Result("failed", addresses[place], message=refusal.sentence())
        return Result("created", inbox.email_address, inbox.inbox_id, "Created")

    return _native_answer(call, addresses, create)


@router.post("/bulk/delete")
async def bulk_delete_sender_accounts(call: CurrentCall, request: Request) -> Response:
    wanted = payloads.read(payloads.BulkDelete, await request.body(), call.switches)
    inbox_ids = [str(inbox_id) for inbox_id in wanted.inbox_ids]
    found = [call.workspace.inboxes.get(inbox_id) for inbox_id in inbox_ids]
    addresses = [inbox.email_address if inbox else None for inbox in found]

    def delete(place: int, moment: float) -> Result:
        return _delete(call, inbox_ids[place], addresses[place], moment)

    submission = call.world.jobs.submit(jobs.DELETE, call.workspace.name, len(inbox_ids), delete)
    return _first_answer(call, "Sender accounts are being deleted", addresses, submission, deleting=True)


@router.get("/smtp/bulk/{job_id}/progress")
async def get_smtp_bulk_progress(call: CurrentCall, job_id: str) -> Response:
    try:
        job = call.world.jobs.find(job_id, jobs.SMTP_CREATE, call.workspace.name)
    except Refusal:
        if call.switches.choice("native_bulk_progress") == "404":
            raise
        job = call.world.jobs.find(job_id, jobs.NATIVE_CREATE, call.workspace.name)
    return _progress(call, job)


@router.get("/bulk/delete/{job_id}/progress")
async def get_bulk_delete_progress(call: CurrentCall, job_id: str) -> Response:
    return _progress(call, call.world.jobs.find(job_id, jobs.DELETE, call.workspace.name))


def _smtp_items(call: Call, raw: bytes) -> list[SmtpAccount | Refusal]:
    if _items_fail_alone(call):
        unread = payloads.read(payloads.SmtpBulkUnchecked, raw, call.switches).inboxes
        return [_read_alone(call, SmtpAccount, item) for item in unread]
    return [*_read_whole(call, payloads.SmtpBulk, raw).inboxes]


def _native_items(call: Call, raw: bytes) -> tuple[str, list[NativeInbox | Refusal]]:
    if _items_fail_alone(call):
        unread = payloads.read(payloads.NativeBulkUnchecked, raw, call.switches)
        return str(unread.domain_id), [_read_alone(call, NativeInbox, item) for item in unread.inboxes]
    body = _read_whole(call, payloads.NativeBulk, raw)
    return str(body.domain_id), [*body.inboxes]


def _items_fail_alone(call: Call) -> bool:
    return _bad_item(call) == "row"


def _bad_item(call: Call) -> str:
    return call.switches.choice("bulk_bad_item")


def _read_alone(call: Call, model: type[Item], item: Any) -> Item | Refusal:
    try:
        return payloads.read_item(model, item, call.switches)
    except Refusal as refusal:
        return refusal


def _read_whole(call: Call, model: type[Item], raw: bytes) -> Item:
    try:
        return payloads.read(model, raw, call.switches)
    except Refusal as refusal:
        refusal.status = 400 if _bad_item(call) == "whole_400" else refusal.status
        raise


def _smtp_address(call: Call, item: SmtpAccount | Refusal) -> str | None:
    return None if isinstance(item, Refusal) else kept_address(item.email_address, call.switches)


def _native_address(call: Call, domain: Domain, item: NativeInbox | Refusal) -> str | None:
    return None if isinstance(item, Refusal) else native_address(domain, item, call.switches)


def _resolve_duplicates(call: Call, items: list[SmtpAccount | Refusal]) -> tuple[list[SmtpAccount | Refusal], set[int]]:
    """The items to process, and the places of those that may use an address again."""
    seen: set[str] = set()
    repeated: set[int] = set()
    for place, item in enumerate(items):
        if isinstance(item, Refusal):
            continue
        if item.email_address.lower() in seen:
            repeated.add(place)
        seen.add(item.email_address.lower())
    treatment = call.switches.choice("duplicate_in_bulk")
    if treatment == "first_wins":
        return [item for place, item in enumerate(items) if place not in repeated], set()
    if treatment.startswith("whole_") and repeated:
        code = int(treatment.removeprefix("whole_"))
        raise Refusal(code, f"Item {min(repeated)} repeats an email address of this request")
    return items, repeated if treatment == "both" else set()


def _check_existing(creator: Creator, addresses: list[str | None]) -> None:
    now = creator.world.clock.now()
    for address in addresses:
        if address:
            creator.check_address(address, now)


def _check_plan(creator: Creator, items: int) -> None:
    if creator.switches.choice("plan_limit_in_bulk") == "whole":
        creator.check_plan_limit(items)


def _check_all_native(
    creator: Creator, domain: Domain, items: list[NativeInbox | Refusal], addresses: list[str | None]
) -> None:
    invalid = next((item for item in items if isinstance(item, Refusal)), None)
    if invalid:
        raise invalid
    if len(set(addresses)) < len(addresses):
        raise Refusal(409, "Two items of this request name one address")
    creator.check_domain(domain, len(items))
    _check_existing(creator, addresses)


def _delete(call: Call, inbox_id: str, address: str | None, moment: float) -> Result:
    inbox = call.workspace.inboxes.get(inbox_id)
    if inbox is None:
        return Result("skipped", address, inbox_id, "Sender account not found")
    if deletion.holder(call.world, inbox):
        return Result("skipped", address, inbox_id, "Inbox is in use by a campaign")
    deletion.begin(call.world, inbox, call.operation, moment)
    return Result("deleted", address, inbox_id, "Deleted")


def _native_answer(call: Call, addresses: list[str | None], create: Act) -> Response:
    form = call.switches.choice("native_bulk_answer")
    if form == "job":
        submission = call.world.jobs.submit(jobs.NATIVE_CREATE, call.workspace.name, len(addresses), create)
        return _first_answer(call, "Inboxes are being created", addresses, submission)
    now = call.world.clock.now()
    results = [create(place, now) for place in range(len(addresses))]
    counts = count(results)
    body: dict[str, Any] = {"success": counts.succeeded > 0, "message": f"{counts.succeeded} inboxes created"}
    if form != "empty":
        body |= {"total": len(results), "success_count": counts.succeeded, "failed_count": counts.failed}
    if form == "results":
        body |= {"job_id": None, **members(results, call.switches)}
    return written(call, body, _bulk_code(call))


def _first_answer(
    call: Call, message: str, addresses: list[str | None], submission: Submission, *, deleting: bool = False
) -> Response:
    total = len(addresses)
    if submission.results is None:
        accepted = total if call.switches.choice("bulk_first_counts") == "accepted" else 0
        succeeded, failed, skipped = accepted, 0, 0
    else:
        counts = count(submission.results)
        succeeded, failed, skipped = counts.succeeded, counts.failed, counts.skipped
    body: dict[str, Any] = {
        "success": True,
        "message": message,
        "total": total,
        "deleted_count" if deleting else "success_count": succeeded,
        "failed_count": failed,
        "job_id": submission.job_id,
    }
    if deleting:
        body["skipped_count"] = skipped
    if _carries_results(call, "first") or submission.job_id is None:
        results = submission.results or [Result("queued", address) for address in addresses]
        body |= members(results, call.switches)
    return written(call, body, _bulk_code(call))


def _progress(call: Call, job: jobs.Job) -> Response:
    shown = call.world.jobs.progress(job)
    if _carries_results(call, "progress"):
        shown |= members(job.results, call.switches)
    return JSONResponse({"success": True, "message": "Job progress retrieved successfully", "job": shown})


def _carries_results(call: Call, answer: str) -> bool:
    return call.switches.choice("results_where") in {answer, "both"}


def _bulk_code(call: Call) -> str:
    return call.switches.choice("bulk_code")
