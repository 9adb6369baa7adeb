"""The passwords that the creates of running jobs have sent: a result row may quote them, so they are masked in it."""

from collections.abc import Iterable

from pydantic import SecretStr

from coldsend_operator.core.ledger import Ledger
from coldsend_operator.workspace.credentials import Passwords, SecretReader


class JobSecrets:
    """Kept while the job runs; after a restart read again (safety.md, 11)."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sent: dict[str, tuple[SecretStr, ...]] = {}

    def keep(self, job_id: str, sent: Iterable[Passwords]) -> None:
        running = {known: secrets for known, secrets in self._sent.items() if known in self._ledger.jobs}
        self._sent = running | {job_id: _values(sent)}

    async def of(self, job_id: str, reader: SecretReader) -> tuple[SecretStr, ...]:
        """Raises KubeError when the API server does not answer."""
        if job_id not in self._sent:
            job = self._ledger.jobs.get(job_id)
            members = [self._ledger.accounts[uid] for uid in job.members] if job is not None else []
            self.keep(job_id, [await reader.passwords(member) for member in members])
        return self._sent[job_id]


def _values(passwords: Iterable[Passwords]) -> tuple[SecretStr, ...]:
    return tuple(value for each in passwords for value in (each.smtp, each.imap) if value is not None)
