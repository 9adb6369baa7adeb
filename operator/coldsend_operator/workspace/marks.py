"""The intent mark (safety.md, 4): put on accounts before a call leaves or as a step of its own, and taken off."""

import asyncio
from collections.abc import Callable

from coldsend_operator.core import folding
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps import Move
from coldsend_operator.kube.client import Conflict, KubeClient, KubeError, NotFound
from coldsend_operator.kube.finalizers import mark, unmark
from coldsend_operator.kube.metadata import version_number
from coldsend_operator.workspace.writer import ref_of

TROUBLE_PAUSE = 1.0


class Marks:
    """`fresh` says whether the Lease was renewed lately."""

    def __init__(self, kube: KubeClient, ledger: Ledger, fresh: Callable[[], bool]) -> None:
        self._kube = kube
        self._ledger = ledger
        self._fresh = fresh

    async def put(self, uid: str) -> bool:
        """Mark the account for a create that is about to leave; whether the mark stands. Raises KubeError."""
        account = self._ledger.accounts.get(uid)
        if account is None or account.desired.deleting is not None:
            return False
        if account.mark is not None:
            account.since = account.since or account.mark
            return True
        if not self._fresh():
            return False
        try:
            put = await mark(self._kube, ref_of(account))
        except (NotFound, Conflict):
            return False
        _wrote(account, put.resource_version)
        account.mark = account.since = put.since
        self._ledger.index(account)
        return True

    async def chore(self, uid: str, move: Move) -> None:
        """Put the mark, or take it off, because a step asks for it. Raises KubeError."""
        account = self._ledger.accounts.get(uid)
        if account is None:
            return
        try:
            if move is Move.MARK:
                put = await mark(self._kube, ref_of(account))
                _wrote(account, put.resource_version)
                folding.marked(self._ledger, account, put.since)
            else:
                _wrote(account, await unmark(self._kube, ref_of(account)))
                folding.unmarked(self._ledger, account)
        except (NotFound, Conflict):
            await asyncio.sleep(TROUBLE_PAUSE)
            folding.chore_failed(self._ledger, account)
        except KubeError:
            folding.chore_failed(self._ledger, account)
            raise


def _wrote(account: Account, version: str | None) -> None:
    """Watch events from before our own write are stale: they show a mark that is off, or none where one is."""
    account.written_version = max(account.written_version, version_number(version))
