"""`doctor --write-test`: creates one native inbox, reads it, deletes it, and reports what was seen.

The inbox is identified by more than its address: the address was free just before, and an inbox that appears
after a lost response has the name and the type that were sent (rule 6). What cannot be cleaned up is reported.
"""

import asyncio
import re
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.errors import CallFailed
from coldsend_operator.coldsend.headers import Meta
from coldsend_operator.coldsend.models import NativeInbox
from coldsend_operator.core.model.answers import Domain, Failure, FailureKind, Row, address_key
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.resources.common import PREFIX
from coldsend_operator.tools.allowance import Allowance
from coldsend_operator.tools.clients import ColdSendReader, coldsend_session
from coldsend_operator.tools.doctor.checks import Check, bad, doubtful, good
from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.output import confirm, remark

DISPLAY_NAME = "coldsend-operator write test"
PAUSES = (0.5, 1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 20.0)  # seconds between reads: 56 s in total
CLOCK_SECONDS = 5.0
AREA = "write test"
_UNKNOWN = frozenset({FailureKind.LOST, FailureKind.UNAVAILABLE})
Sleep = Callable[[float], Awaitable[None]]


async def run(access: Access, namespace: str, address: str, *, yes: bool) -> list[Check]:
    """Raises CommandError if nothing was created."""
    prefix, domain = _parts(address)
    answers: dict[str, Meta] = {}
    async with coldsend_session(access, namespace, ColdSendClient, answers.__setitem__) as (client, allowance):
        test = WriteTest(client, allowance, answers, prefix, domain)
        target = await test.prepare()
        if not yes:
            confirm(f"Create the inbox {address} in ColdSend and delete it again?")
        return await test.run(target)


def check(address: str, *, yes: bool) -> None:
    """Raises UsageError for an invalid address, or if nobody can confirm."""
    _parts(address)
    if not yes and not sys.stdin.isatty():
        raise UsageError(f"--write-test creates {address} in ColdSend and deletes it; give --yes")


def _parts(text: str) -> tuple[str, str]:
    prefix, _, domain = text.strip().lower().rpartition("@")
    if not re.fullmatch(PREFIX.expression, prefix, re.ASCII) or len(prefix) > 64 or "." not in domain:
        raise UsageError(f"--write-test {text}: give PREFIX@DOMAIN, with a domain of your workspace in ColdSend")
    return prefix, domain


@dataclass(slots=True)
class WriteTest:
    """One write test. `sleep` and `clock` can be replaced in tests."""

    client: ColdSendClient
    allowance: Allowance
    answers: dict[str, Meta]
    prefix: str
    domain: str
    sleep: Sleep = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    checks: list[Check] = field(default_factory=list)
    unknown: bool = False  # whether an unseen inbox may have been created

    def _note(self, result: Callable[[str, str, int | None], Check], message: str, row: int | None = None) -> None:
        self.checks.append(result(AREA, message, row))

    @property
    def address(self) -> str:
        return f"{self.prefix}@{self.domain}"

    async def prepare(self) -> Domain:
        """The domain. Raises CommandError if the test is impossible, or would touch an existing inbox."""
        try:
            domains = await self._reader.list_domains()
            there = await self._find()
        except CallFailed as error:
            raise CommandError(f"--write-test: {error.failure.message}; nothing was created") from None
        found = next((each for each in domains if each.domain_name.lower() == self.domain), None)
        if found is None:
            raise CommandError(f"--write-test: {self.domain} is not a domain of this workspace; nothing was created")
        if there is not None:
            raise CommandError(f"--write-test: {self.address} already exists in ColdSend; give another prefix")
        return found

    async def run(self, domain: Domain) -> list[Check]:
        """Create, read and delete the inbox."""
        inbox_id: str | None = None
        done = False
        try:
            inbox_id = await self._create(domain)
            if inbox_id is None:
                return self.checks
            if await self._find_under_address(inbox_id):
                done = await self._remove(inbox_id)
            else:
                self._note(bad, f"{inbox_id} does not appear under its address, so it is not deleted", 25)
        except CallFailed as error:
            self._note(bad, f"stopped early: {error.failure.message}")
        except CommandError as error:  # the share of the hour is used up
            self._note(bad, f"stopped early: {error}")
        finally:  # Ctrl-C too
            if not done and (inbox_id is not None or self.unknown):
                remark(self._way_out(inbox_id))
        return self.checks

    # -- create

    async def _create(self, domain: Domain) -> str | None:
        """The id; None if nothing is known to have been created."""
        began, wall = self.clock(), time.time()
        await self.allowance.take()
        self.unknown = True
        try:
            created = await self.client.create_native(
                domain.domain_id, NativeInbox(email_prefix=self.prefix, display_name=DISPLAY_NAME)
            )
        except CallFailed as error:
            self.unknown = error.failure.kind in _UNKNOWN
            if not self.unknown:
                self.checks.append(self._refused(error.failure))
                return None
            return await self._after_lost_answer(error.failure, wall)
        row, self.unknown = created.row, created.row is None
        code = self._code("create_native")
        if row is None:
            self._note(doubtful, "the response to a native create does not contain the inbox: a search finds it", 25)
            row = await self._appears()
            if row is None:
                self._note(bad, f"{self.address} did not appear within a minute of the create", 17)
                return None
        else:
            self._note(good, "the response to a native create contains the inbox", 25)
        self._note(good, f"a native create takes {self.clock() - began:.1f} s and is answered {code}", 18)
        if row.daily_limit is not None:
            self._note(good, f"a native inbox has a daily limit of {row.daily_limit}", 30)
        return row.inbox_id

    async def _after_lost_answer(self, failure: Failure, began: float) -> str | None:
        """Check whether it was created: only an inbox with our name, created since then, is ours."""
        row = await self._appears()
        if row is None:
            said = f"the outcome of the create is unknown ({failure.message}), and the inbox has not appeared yet"
            self._note(bad, said, 17)
            return None
        born = unix_of(row.created_at or "")
        if row.display_name != DISPLAY_NAME or (born is not None and born < began - CLOCK_SECONDS):
            said = (
                f"the outcome of the create is unknown, and {self.address} exists as another inbox, which is not "
                "touched"
            )
            self._note(bad, said, 17)
            return None
        self._note(doubtful, f"the create had no response ({failure.message}), but the inbox was created", 17)
        return row.inbox_id

    def _refused(self, failure: Failure) -> Check:
        if failure.kind is FailureKind.FORBIDDEN:
            needed = ", ".join(failure.required) or "sender_accounts:create"
            return bad("scopes", f"the key lacks {needed}: nothing was created")
        code = f"HTTP {failure.status}" if failure.status is not None else failure.kind
        return bad(AREA, f"the create is refused ({code}): {failure.message}; nothing was created", 27)

    # -- look

    async def _find_under_address(self, inbox_id: str) -> bool:
        """Whether ColdSend shows this id under our address: only then it is deleted (rule 20)."""
        began = self.clock()
        row = await self._appears()
        if row is None:
            self._note(doubtful, "the new inbox does not appear in the list within a minute", 35)
        else:
            seen = f"the new inbox appears in the list after {self.clock() - began:.1f} s, as {row.overall_status}"
            self._note(good, seen, 35)
        await self.allowance.take()
        try:
            details = await self.client.get_account(inbox_id)
        except CallFailed as error:
            self._note(doubtful, f"the details of the new inbox: {error.failure.message}", 37)
            return row is not None and row.inbox_id == inbox_id
        self._note(good, "the details of the new inbox can be read", 37)
        return details.address == address_key(self.address)

    # -- remove

    async def _remove(self, inbox_id: str) -> bool:
        """Delete the inbox that was created here, regardless of the budget. Returns whether it is gone."""
        began = self.clock()
        try:
            await self.client.delete_account(inbox_id)
        except CallFailed as error:
            if error.failure.kind is not FailureKind.NOT_FOUND:
                self._note(bad, f"the delete failed: {error.failure.message}", 23)
                return await self._gone(inbox_id, began)
        self._note(good, f"the delete is answered {self._code('delete_account')}", 18)
        return await self._gone(inbox_id, began)

    async def _gone(self, inbox_id: str, began: float) -> bool:
        for pause in (0.0, *PAUSES):
            await self.sleep(pause)
            await self.allowance.take()
            try:
                await self.client.get_account(inbox_id)
            except CallFailed as error:
                if error.failure.kind is FailureKind.NOT_FOUND:
                    break
        else:
            self._note(bad, "the inbox is still there a minute after the delete", 23)
            return False
        self._note(good, f"the inbox is gone {self.clock() - began:.1f} s after the delete began (404)", 23)
        listed = await self._appears(PAUSES[:4], wanted=False)
        if listed is not None:
            self._note(doubtful, "the list still shows the inbox after the 404", 35)
        else:
            self._note(good, "the list no longer shows the inbox", 35)
        return True

    # -- calls

    @property
    def _reader(self) -> ColdSendReader:
        return ColdSendReader(self.client, self.allowance)

    async def _find(self) -> Row | None:
        page = await self._reader.list_accounts(page=1, search=self.address)
        return next((row for row in page.rows if row.address == address_key(self.address)), None)

    async def _appears(self, pauses: tuple[float, ...] = PAUSES, *, wanted: bool = True) -> Row | None:
        """Read until the list shows it, or with `wanted` False until it does not. Returns the last row."""
        row: Row | None = None
        for pause in (0.0, *pauses):
            await self.sleep(pause)
            try:
                row = await self._find()
            except CallFailed:
                continue
            if (row is not None) is wanted:
                break
        return row

    def _code(self, operation: str) -> str:
        meta = self.answers.get(operation)
        return "without a code" if meta is None or meta.status is None else f"with {meta.status}"

    def _way_out(self, inbox_id: str | None) -> str:
        which = f" (id {inbox_id})" if inbox_id else ""
        return (
            f"Attention: {self.address}{which} may exist in ColdSend now or appear later. Find it with: "
            f"coldsend-operator inventory --unmanaged --domain {self.domain}, and delete it in ColdSend"
        )
