"""One call to ColdSend: from the planned call to the client's method, and back to a response or a failure."""

from collections.abc import Mapping, Sequence

from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.errors import CallFailed
from coldsend_operator.coldsend.masking import Member
from coldsend_operator.coldsend.models import NativeInbox
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Answer, Failure
from coldsend_operator.core.model.calls import Call, Operation
from coldsend_operator.credentials.passwords import Passwords, smtp_inbox


async def perform(
    client: ColdSendClient,
    call: Call,
    accounts: Mapping[str, Account],
    passwords: Mapping[str, Passwords],
    job_members: Sequence[Member] = (),
) -> Answer | Failure:
    """Send the call; a refusal is a normal outcome. `job_members` are those of a polled create job."""
    try:
        return await _ask(client, call, accounts, passwords, job_members)
    except CallFailed as failed:
        return failed.failure


async def _ask(
    client: ColdSendClient,
    call: Call,
    accounts: Mapping[str, Account],
    passwords: Mapping[str, Passwords],
    job_members: Sequence[Member],
) -> Answer:
    members = [accounts[uid] for uid in call.uids]
    match call.operation:
        case Operation.LIST_ACCOUNTS if call.newest:
            return await client.list_accounts(page=call.page, sort_by="created_at", sort_order="desc")
        case Operation.LIST_ACCOUNTS:
            return await client.list_accounts(page=call.page)
        case Operation.SEARCH_ACCOUNTS:
            return await client.list_accounts(page=call.page, search=call.address)
        case Operation.GET_ACCOUNT:
            return await client.get_account(call.inbox_ids[0])
        case Operation.CREATE_SMTP:
            return await client.create_smtp(smtp_inbox(members[0], passwords[members[0].uid]))
        case Operation.CREATE_SMTP_BULK:
            return await client.create_smtp_bulk([smtp_inbox(member, passwords[member.uid]) for member in members])
        case Operation.CREATE_NATIVE:
            return await client.create_native(call.domain_id or "", _native(members[0]))
        case Operation.CREATE_NATIVE_BULK:
            return await client.create_native_bulk(call.domain_id or "", [_native(member) for member in members])
        case Operation.DELETE_ACCOUNT:
            return await client.delete_account(call.inbox_ids[0])
        case Operation.DELETE_ACCOUNTS:
            return await client.delete_accounts(call.inbox_ids)
        case Operation.POLL_CREATE_JOB:
            return await client.create_job(call.job or "", members=job_members)
        case Operation.POLL_DELETE_JOB:
            return await client.delete_job(call.job or "")
        case Operation.SEND_TEST_EMAIL:
            return await client.send_test_email(call.inbox_ids[0], members[0].desired.spec.mail_recipient or "")
        case Operation.LIST_DOMAINS:
            return await client.list_domains(page=call.page)


def _native(account: Account) -> NativeInbox:
    spec = account.desired.spec
    return NativeInbox(email_prefix=spec.native.prefix if spec.native else "", display_name=spec.display_name or "")
