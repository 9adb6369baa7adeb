"""The passwords sent by the creates of running jobs, to mask them in result rows that quote them."""

from collections.abc import Iterable

from coldsend_operator.coldsend.masking import Member
from coldsend_operator.coldsend.requests import member_of
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.passwords import Passwords, SecretReader, smtp_inbox


class JobPasswords:
    """Kept while the job runs; read again after a restart (rule 11)."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._sent: dict[str, tuple[Member, ...]] = {}

    def keep(self, job_id: str, sent: Iterable[tuple[Account, Passwords]]) -> None:
        """The create of these accounts carried these passwords."""
        running = {known: members for known, members in self._sent.items() if known in self._workspace.jobs}
        self._sent = running | {job_id: _members(sent)}

    async def of(self, job_id: str, reader: SecretReader) -> tuple[Member, ...]:
        """The known passwords: an unreadable Secret does not stop the poll of the job (rule 38)."""
        if job_id in self._sent:
            return self._sent[job_id]
        job = self._workspace.jobs.get(job_id)
        found = (self._workspace.accounts.get(uid) for uid in (job.members if job is not None else ()))
        accounts = [account for account in found if account is not None]
        await reader.fetch(accounts)
        sent = [(account, await reader.passwords(account)) for account in accounts]
        if any(passwords.unread for _, passwords in sent):
            return _members(sent)  # read again at the next poll
        self.keep(job_id, sent)
        return self._sent[job_id]


def _members(sent: Iterable[tuple[Account, Passwords]]) -> tuple[Member, ...]:
    return tuple(member_of(smtp_inbox(account, passwords)) for account, passwords in sent if passwords.smtp is not None)
