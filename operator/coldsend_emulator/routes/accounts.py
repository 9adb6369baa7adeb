"""Single inboxes: list, details, delete, test mail."""

import uuid
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from coldsend_emulator import deletion, listing, payloads, rows
from coldsend_emulator.answers import Call, CurrentCall, written
from coldsend_emulator.clock import rfc3339
from coldsend_emulator.inboxes import Inbox
from coldsend_emulator.refusals import Refusal, inbox_not_found
from coldsend_emulator.workspaces import Mail

router = APIRouter(prefix="/sender-accounts")

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
