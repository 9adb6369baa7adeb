"""The client of the ColdSend API: what reads (`reads`), and what writes."""

from collections.abc import Sequence

from coldsend_operator.coldsend import readers, requests
from coldsend_operator.coldsend.models import NativeInbox, SmtpInbox
from coldsend_operator.coldsend.reads import ColdSendReads, OnAnswer
from coldsend_operator.core.model.answers import BulkAnswer, Created, Deleted, MailSent

__all__ = ["ColdSendClient", "OnAnswer"]


class ColdSendClient(ColdSendReads):
    """All calls of one API key. Every call returns its record or raises CallFailed."""

    _methods = frozenset({"GET", "POST", "DELETE"})

    async def create_smtp(self, inbox: SmtpInbox) -> Created:
        address = inbox.email_address
        request = requests.create_smtp(inbox)
        return await self._call(request, lambda body, mask: readers.read_created(body, mask, address))

    async def create_smtp_bulk(self, inboxes: Sequence[SmtpInbox]) -> BulkAnswer:
        return await self._call(requests.create_smtp_bulk(inboxes), readers.read_bulk)

    async def create_native(self, domain_id: str, inbox: NativeInbox) -> Created:
        request = requests.create_native(domain_id, inbox)
        return await self._call(request, lambda body, mask: readers.read_created(body, mask, None))

    async def create_native_bulk(self, domain_id: str, inboxes: Sequence[NativeInbox]) -> BulkAnswer:
        return await self._call(requests.create_native_bulk(domain_id, inboxes), readers.read_bulk)

    async def delete_account(self, inbox_id: str) -> Deleted:
        return await self._call(requests.delete_account(inbox_id), readers.read_deleted)

    async def delete_accounts(self, inbox_ids: Sequence[str]) -> BulkAnswer:
        return await self._call(requests.delete_accounts(inbox_ids), readers.read_bulk)

    async def send_test_email(self, inbox_id: str, recipient: str) -> MailSent:
        """Each call sends real mail to a real person."""
        return await self._call(requests.send_test_email(inbox_id, recipient), readers.read_mail)
