"""Single creates, of SMTP accounts and native inboxes."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from coldsend_emulator import payloads, rows
from coldsend_emulator.answers import Call, CurrentCall, written
from coldsend_emulator.creation import Creator, Exists, native_address, set_mailboxes
from coldsend_emulator.inboxes import Inbox
from coldsend_emulator.refusals import Refusal, domain_not_found
from coldsend_emulator.workspaces import Domain, RememberedAnswer

router = APIRouter(prefix="/sender-accounts")


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
    delay = call.switches.amount("native_seconds")
    inbox = _remembered(call, body_digest)
    if inbox is None and delay:
        _create_later(creator, domain, item, delay)
        return _answer(call, {"success": True, "message": "Inbox is being created"})
    if inbox is None:
        try:
            inbox = creator.native(domain, item, call.world.clock.now())
        except Exists as conflict:
            inbox = _existing(call, conflict)
    return _created(call, inbox, body_digest, _native_body(inbox, call))


async def _connection_check(call: Call, creator: Creator, account: payloads.SmtpAccount) -> None:
    """Wait as long as the check takes. Raises Refusal 504 if the server gives up before."""
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


def _create_later(creator: Creator, domain: Domain, item: payloads.NativeInbox, delay: float) -> None:
    """Schedule the create. Raises Refusal if it is already known to fail."""
    now = creator.world.clock.now()
    creator.check_domain(domain)
    creator.check_address(native_address(domain, item, creator.switches), now)
    creator.world.schedule.at(now + delay, lambda moment: _quietly(lambda: creator.native(domain, item, moment)))


def _quietly(create: Callable[[], Inbox]) -> None:
    """Create an inbox after the response; nobody learns of a refusal."""
    try:
        create()
    except Refusal:
        return


def _existing(call: Call, conflict: Exists) -> Inbox:
    """The inbox that an upsert returns; without upsert raises the refusal."""
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
    return _answer(call, body)


def _answer(call: Call, body: dict[str, Any]) -> Response:
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
