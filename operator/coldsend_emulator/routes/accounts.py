"""Single inboxes: list, details, create, delete, test mail."""

import asyncio
import hashlib
import uuid
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from coldsend_emulator import deletion, listing, payloads, rows
from coldsend_emulator.answers import Call, current_call, written
from coldsend_emulator.clock import rfc3339
from coldsend_emulator.creation import Creator, Exists, native_address, set_mailboxes
from coldsend_emulator.inboxes import Inbox
from coldsend_emulator.refusals import Refusal, domain_not_found, inbox_not_found
from coldsend_emulator.workspaces import Mail, RememberedAnswer

router = APIRouter(prefix="/sender-accounts")

CurrentCall = Annotated[Call, Depends(current_call)]
Page = Annotated[int, Query(ge=1)]
PageLimit = Annotated[int, Query(ge=1, le=100)]
InboxType = Literal["COLDSEND", "GOOGLE_WORKSPACE", "OUTLOOK_365", "CUSTOM_SMTP"]
Status = Literal["ACTIVE", "PAUSED", "DISABLED", "PENDING"]
SortBy = Literal["email_address", "inbox_type", "created_at", "health_score"]


@router.get("")
async def list_sender_accounts(
    *,
    call: CurrentCall,
    page: Page = 1,
    limit: PageLimit = 20,
    inbox_type: InboxType | None = None,
    status: Status | None = None,
    search: str | None = None,
    sort_by: SortBy | None = None,
    sort_order: Literal["asc", "desc"] | None = None,
) -> Response:
    if status == "PENDING" and call.switches.choice("pending_filter") == "refused":
        message = "Input should be 'ACTIVE', 'PAUSED' or 'DISABLED'"
        raise Refusal(422, [{"loc": ["query", "status"], "msg": message, "type": "literal_error"}])
    table = call.workspace.inboxes
    query = listing.Query(page, limit, inbox_type, status, search, sort_by, sort_order)
    found, total = listing.find(table, query, call.switches, call.world.clock)
    write = rows.RowWriter(call.switches)
    return JSONResponse(
        {
            "success": True,
            "message": "Sender accounts retrieved successfully",
            "sender_accounts": [write.row(inbox) for inbox in found],
            "pagination": rows.pagination(page, limit, listing.total_shown(table, total, call.switches)),
        }
    )


@router.get("/{inbox_id}")
async def get_sender_account(call: CurrentCall, inbox_id: UUID) -> Response:
    return JSONResponse(rows.details(_inbox(call, inbox_id), call.switches))


@router.delete("/{inbox_id}")
async def delete_sender_account(call: CurrentCall, inbox_id: UUID) -> Response:
    inbox = _inbox(call, inbox_id)
    campaign = deletion.holder(call.world, inbox)
    if campaign:
        code = int(call.switches.choice("in_use_code"))
        raise Refusal(code, f"Inbox is in use by campaign {campaign.name!r}")
    deletion.begin(call.world, inbox, call.operation, call.world.clock.now())
    body = {"success": True, "message": "Sender account deleted successfully", "inbox_id": inbox.inbox_id}
    return written(call, {**body, "deleted": True}, call.switches.choice("delete_code"))


@router.post("/smtp")
async def create_smtp_account(call: CurrentCall, request: Request) -> Response:
    raw = await request.body()
    account = payloads.read(payloads.SmtpAccount, raw, call.switches)
    creator = Creator(call.world, call.workspace, call.operation)
    body_digest = hashlib.sha256(raw).hexdigest()
    inbox = _remembered(call, body_digest)
    if inbox is None:
        try:
            creator.check_address(account.email_address, call.world.clock.now())
            await _connection_check(call, creator, account)
            inbox = creator.smtp(account, call.world.clock.now())
        except Exists as conflict:
            inbox = _existing(call, conflict)
            set_mailboxes(inbox, account)
    return _created(call, inbox, body_digest, rows.created(inbox, call.switches))


@router.post("/coldsend-native")
async def create_native_inbox(call: CurrentCall, request: Request) -> Response:
    raw = await request.body()
    item = payloads.read(payloads.NativeInboxCreate, raw, call.switches)
    domain = call.workspace.domains.get(str(item.domain_id))
    if domain is None:
        raise domain_not_found()
    creator = Creator(call.world, call.workspace, call.operation)
    body_digest = hashlib.sha256(raw).hexdigest()
    now = call.world.clock.now()
    delay = call.switches.amount("native_seconds")
    inbox = _remembered(call, body_digest)
    if inbox is None and delay:
        creator.check_domain(domain)
        creator.check_address(native_address(domain, item, call.switches), now)
        call.world.schedule.at(now + delay, lambda moment: _create_late(creator, domain.domain_id, item, moment))
        return written(
            call, {"success": True, "message": "Inbox is being created"}, call.switches.choice("create_code")
        )
    if inbox is None:
        try:
            inbox = creator.native(domain, item, now)
        except Exists as conflict:
            inbox = _existing(call, conflict)
    return _created(call, inbox, body_digest, _native_body(inbox, call))


@router.post("/{inbox_id}/test-email")
async def send_test_email(call: CurrentCall, inbox_id: UUID, request: Request) -> Response:
    wanted = payloads.read(payloads.TestEmail, await request.body(), call.switches)
    inbox = _inbox(call, inbox_id)
    outcome = call.switches.choice("test_mail_outcome") if inbox.overall_status == "ACTIVE" else "failed_200"
    if outcome == "failed_400":
        raise Refusal(400, "Failed to send test email")
    sent = outcome.startswith("sent")
    sent_at = call.world.clock.wall()
    message_id = f"<{uuid.uuid4()}@{inbox.email_address.partition('@')[2]}>" if outcome == "sent" else None
    if sent:
        mail = Mail(inbox.email_address, wanted.recipient_email, sent_at, message_id, inbox.inbox_id)
        call.workspace.mails.append(mail)
    body = {
        "success": sent,
        "message": "Test email sent successfully" if sent else "Failed to send test email",
        "inbox_id": inbox.inbox_id,
        "inbox_email": inbox.email_address,
        "recipient_email": wanted.recipient_email,
        "sent_at": rfc3339(sent_at),
        "message_id": message_id,
    }
    return written(call, body, call.switches.choice("test_email_code"))


def _inbox(call: Call, inbox_id: UUID) -> Inbox:
    inbox = call.workspace.inboxes.get(str(inbox_id))
    if inbox is None:
        raise inbox_not_found()
    return inbox


async def _connection_check(call: Call, creator: Creator, account: payloads.SmtpAccount) -> None:
    """Take the time that the check takes; raises Refusal 504 where the server gives up before."""
    seconds = call.switches.amount("connection_check_seconds")
    limit = call.switches.amount("connection_check_limit_seconds")
    if seconds:
        await asyncio.sleep(min(seconds, limit))
    if seconds > limit:
        if call.switches.choice("connection_check_over") == "done_later":
            due = call.world.clock.now() + seconds - limit
            call.world.schedule.at(due, lambda moment: _quietly(lambda: creator.smtp(account, moment)))
        raise Refusal(504, "The connection check took too long")
    call.world.settle()


def _create_late(creator: Creator, domain_id: str, item: payloads.NativeInbox, moment: float) -> None:
    domain = creator.workspace.domains.get(domain_id)
    if domain:
        _quietly(lambda: creator.native(domain, item, moment))


def _quietly(create: Any) -> None:
    """Do late work that nobody is told the failure of."""
    try:
        create()
    except Refusal:
        return


def _existing(call: Call, conflict: Exists) -> Inbox:
    """The inbox that an upsert gives back; raises the refusal in all other cases."""
    form = call.switches.choice("existing_single")
    if form == "upsert" and conflict.inbox.workspace == call.workspace.name:
        return conflict.inbox
    raise Refusal(409 if form == "upsert" else int(form), conflict.detail, conflict.extra)


def _remembered(call: Call, body_digest: str) -> Inbox | None:
    memory = call.workspace.remembered.get(body_digest)
    oldest = call.world.clock.now() - call.switches.amount("repeated_create_seconds")
    return call.workspace.inboxes.get(memory.inbox_id) if memory and memory.at > oldest else None


def _created(call: Call, inbox: Inbox, body_digest: str, body: dict[str, Any]) -> Response:
    call.workspace.remembered[body_digest] = RememberedAnswer(call.world.clock.now(), inbox.inbox_id)
    return written(call, body, call.switches.choice("create_code"))


def _native_body(inbox: Inbox, call: Call) -> dict[str, Any]:
    body = rows.created(inbox, call.switches)
    head = {"success": True, "message": body["message"]}
    match call.switches.choice("native_answer"):
        case "without_id":
            return {name: value for name, value in body.items() if name != "inbox_id"}
        case "wrapped":
            return {**head, "inbox": {name: value for name, value in body.items() if name not in head}}
        case "empty":
            return head
        case _:
            return body
