"""One call to ColdSend, from the plan to its answer: prepare it, send it, apply the answer."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from coldsend_operator.accounts.clients import Clients, OpenKey
from coldsend_operator.accounts.finalizers import FinalizerWriter
from coldsend_operator.accounts.status_writer import ref_of
from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.errors import CallFailed
from coldsend_operator.coldsend.masking import Member
from coldsend_operator.coldsend.models import NativeInbox
from coldsend_operator.core import apply
from coldsend_operator.core.decide import still_due
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import NOT_PROCESSED, Answer, BulkAnswer, Failure, FailureKind, Page
from coldsend_operator.core.model.calls import Call, Operation, Scope
from coldsend_operator.core.workspace.audit_lines import fields_of
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.passwords import JobPasswords, Passwords, SecretReader, smtp_inbox
from coldsend_operator.kube.set_aside import ADD_FINALIZER, READ_SECRETS
from coldsend_operator.logs import Event, Recurring, log


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that is sent now, with what it needs."""

    call: Call
    client: ColdSendClient
    passwords: Mapping[str, Passwords]
    job_members: Sequence[Member]


class CallRunner:
    """Carries out the calls of one workspace.

    `decide_again` is called for an account to decide about again, `listed` after a page of a list was applied, and
    `ended` after each call.
    """

    def __init__(
        self,
        workspace: Workspace,
        clients: Clients,
        keys: Mapping[str, OpenKey],
        finalizers: FinalizerWriter,
        *,
        decide_again: Callable[[str], None],
        listed: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        self._workspace = workspace
        self._clients = clients
        self._keys = keys
        self._finalizers = finalizers
        self._decide_again = decide_again
        self._listed = listed
        self._ended = ended
        self._job_passwords = JobPasswords(workspace)
        self._audit_trouble = Recurring(Event.AUDIT_FAILED, workspace=workspace.digest)

    async def carry_out(self, call: Call, generations: Mapping[str, int]) -> None:
        """Prepare the call and send it. A call that was sent is never taken back, whatever fails after it."""
        ready: Ready | None = None
        try:
            ready = await self._ready(call, generations)
        finally:
            if ready is None:
                apply.cancel(self._workspace, call, self._clients.clock())
        if ready is not None:
            await self._send(ready)
        self._ended()

    async def _ready(self, call: Call, generations: Mapping[str, int]) -> Ready | None:
        """The call with all that it needs; None if it is not to be sent."""
        members = call.uids
        passwords: dict[str, Passwords] = {}
        job_members: tuple[Member, ...] = ()
        if call.operation is Operation.POLL_CREATE_JOB:
            job_members = await self._job_passwords.of(call.job or "", self._clients.reader())
        elif call.operation.creates:
            await self._clients.bookings.save_trust(self._workspace.trust)
            call, passwords = await self._prepare(call)
        elif call.operation.scope is Scope.DELETE:
            call = await self._without_unusable_secrets(call)
            self._workspace.brake.leave(call.uids, self._clients.clock())
            await self._clients.bookings.save(self._workspace)
        elif call.operation is Operation.SEND_TEST_EMAIL:
            await self._clients.bookings.save(self._workspace)  # rule 45: the count of test mails survives a restart
        call = self._still_due(call, generations)
        key = self._keys.get(call.key)
        if (members and not call.uids) or key is None:  # none of its accounts needs it any more
            return None
        if not self._clients.leadership.fresh():
            return None
        call = apply.leave(self._workspace, call, self._clients.clock()) if call.operation.creates else call
        if call.writes:
            self._workspace.audit.intend(self._workspace, call)
            if not self.write_audit_log():
                self._workspace.audit.take_back(call)
                return None
        return Ready(call, key.client, passwords, job_members)

    async def _send(self, ready: Ready) -> None:
        """Send the call. If its answer cannot be applied, it counts as lost: to take it back would send it twice."""
        call, accounts = ready.call, self._workspace.accounts
        outcome: Answer | Failure = NOT_PROCESSED
        try:
            outcome = await perform(ready.client, call, accounts, ready.passwords, ready.job_members)
            if call.operation.creates and isinstance(outcome, BulkAnswer) and outcome.job_id is not None:
                sent = [(accounts[uid], ready.passwords[uid]) for uid in call.uids if uid in accounts]
                self._job_passwords.keep(outcome.job_id, sent)
        except Exception as error:  # noqa: BLE001 - whatever it is, the call may have been sent
            log.error(Event.LOOP_FAILED, workspace=self._workspace.digest, exc_info=error)
        finally:
            self._apply(call, outcome)

    def _apply(self, call: Call, outcome: Answer | Failure) -> None:
        try:
            apply.fold(self._workspace, call, outcome, self._clients.clock())
        except Exception as error:  # noqa: BLE001 - whatever fails with one answer affects only its accounts
            log.error(
                Event.LOOP_FAILED, workspace=self._workspace.digest, operation=call.operation.value, exc_info=error
            )
        self.write_audit_log()
        self._log(call, outcome)
        if isinstance(outcome, Page):
            self._listed()

    def write_audit_log(self) -> bool:
        """Write the lines that wait. Returns whether all are written; if not, no call that writes is sent."""
        trail = self._workspace.audit
        if trail.lines:
            try:
                self._clients.audit.write([fields_of(line) for line in trail.lines], self._clients.clock())
            except OSError as error:
                trail.trouble = f"nothing is written to ColdSend while the audit log cannot be: {error}"
                self._audit_trouble.failed(trail.trouble)
                return False
            trail.lines.clear()
            trail.trouble = ""
            self._audit_trouble.ended()
        return True

    def _still_due(self, call: Call, generations: Mapping[str, int]) -> Call:
        """The call without accounts that are gone, name another key now, or no longer need it."""
        accounts = self._workspace.accounts
        out = {
            uid
            for uid in call.uids
            if uid not in accounts
            or accounts[uid].key != call.key
            or not still_due(accounts[uid], call, generations[uid], self._workspace)
        }
        return apply.drop(self._workspace, call, out) if out else call

    async def _prepare(self, call: Call) -> tuple[Call, dict[str, Passwords]]:
        """Read the Secrets, then add the create mark to each object (rule 4: mark before you write).

        A member whose Secret or mark fails is dropped from the call; the others are not affected (rule 38).
        """
        passwords = await self._passwords(call.uids, self._clients.reader())
        since = float(int(self._clients.clock() + self._clients.kube.clock_offset))
        marks = await asyncio.gather(*(self._add_mark(uid, since) for uid in passwords))
        kept = {uid for uid, good in zip(passwords, marks, strict=True) if good}
        dropped = set(call.uids) - kept
        if dropped:
            call = apply.drop(self._workspace, call, dropped)
        return call, passwords

    async def _add_mark(self, uid: str, since: float) -> bool:
        """Add the mark. Returns whether it is set; if not, the account waits, longer after each refusal."""
        put, account = False, self._workspace.accounts.get(uid)
        if account is None:
            return False  # it is gone since the Secrets were read
        with self._clients.set_aside.trying(ref_of(account), ADD_FINALIZER, partial(self._decide_again, uid)):
            put = await self._finalizers.add_before_call(uid, since)
        if not put:
            transitions.postponed(account, self._clients.clock())
        return put

    async def _without_unusable_secrets(self, call: Call) -> Call:
        """The call without replacements whose Secret cannot be used: their inboxes could not be created again."""
        accounts = self._workspace.accounts
        replaced = [uid for uid in call.uids if uid in accounts and accounts[uid].desired.deleting is None]
        unusable = set(replaced) - (await self._passwords(replaced, self._clients.reader())).keys()
        return apply.drop(self._workspace, call, unusable) if unusable else call

    async def _passwords(self, uids: Sequence[str], reader: SecretReader) -> dict[str, Passwords]:
        found: dict[str, Passwords] = {}
        await reader.fetch(self._workspace.accounts[uid] for uid in uids if uid in self._workspace.accounts)
        for uid in uids:
            account = self._workspace.accounts.get(uid)
            if account is None:
                continue
            with self._clients.set_aside.trying(ref_of(account), READ_SECRETS, partial(self._decide_again, uid)):
                found[uid] = await reader.passwords(account)
            if uid not in found:
                transitions.postponed(account, self._clients.clock())
                continue
            passwords = found[uid]
            if account.desired.spec.smtp is not None:
                transitions.secret_read(account, passwords.credentials)
                if passwords.credentials.reason is not None:
                    self._workspace.stale_secrets.add(uid)
                    del found[uid]
                    continue
            transitions.create_prepared(account, passwords.credentials.digest)
        return found

    def _log(self, call: Call, outcome: Answer | Failure) -> None:
        names = {}
        if len(call.uids) == 1 and call.uids[0] in self._workspace.accounts:
            desired = self._workspace.accounts[call.uids[0]].desired
            names = {"namespace": desired.namespace, "name": desired.name}
        elif call.uids:
            names = {"accounts": str(len(call.uids))}
        # each deletion may end with a GET that is answered with 404: that is no failure
        is_get = call.operation is Operation.GET_ACCOUNT
        if isinstance(outcome, Failure) and not (is_get and outcome.kind is FailureKind.NOT_FOUND):
            log.warning(
                Event.CALL_FAILED,
                workspace=self._workspace.digest,
                operation=call.operation.value,
                kind=outcome.kind.value,
                code=outcome.status,
                message=outcome.message,
                **names,
            )
        elif call.writes:
            log.info(Event.CALL, workspace=self._workspace.digest, operation=call.operation.value, **names)
        else:
            log.debug(
                Event.CALL, workspace=self._workspace.digest, operation=call.operation.value, page=call.page, **names
            )


async def perform(
    client: ColdSendClient,
    call: Call,
    accounts: Mapping[str, Account],
    passwords: Mapping[str, Passwords],
    job_members: Sequence[Member] = (),
) -> Answer | Failure:
    """Send the call. Returns the failure, if any. `job_members` are the members of a polled create job."""
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
