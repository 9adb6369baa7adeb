"""The passwords that the creates of running jobs have sent: a result row may quote them, so they are masked in it."""

from collections.abc import Iterable

from coldsend_operator.coldsend.masking import Member
from coldsend_operator.coldsend.requests import member_of
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account
from coldsend_operator.workspace.credentials import Passwords, SecretReader, smtp_inbox


class JobSecrets:
    """Kept while the job runs; after a restart read again (safety.md, 11)."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sent: dict[str, tuple[Member, ...]] = {}

    def keep(self, job_id: str, sent: Iterable[tuple[Account, Passwords]]) -> None:
        """These accounts were sent with these passwords."""
        running = {known: members for known, members in self._sent.items() if known in self._ledger.jobs}
        members = tuple(
            member_of(smtp_inbox(account, passwords)) for account, passwords in sent if passwords.smtp is not None
        )
        self._sent = running | {job_id: members}

    async def of(self, job_id: str, reader: SecretReader) -> tuple[Member, ...]:
        """Raises KubeError when the API server does not answer."""
        if job_id not in self._sent:
            job = self._ledger.jobs.get(job_id)
            members = [self._ledger.accounts[uid] for uid in job.members] if job is not None else []
            self.keep(job_id, [(member, await reader.passwords(member)) for member in members])
        return self._sent[job_id]
