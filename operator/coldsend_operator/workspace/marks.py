"""Finalizers and marks of creates: put before a call leaves or as a step of its own, and taken off (rules 4, 39)."""

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

    async def put(self, uid: str, since: float) -> bool:
        """Mark the account for a create that is about to leave; whether the mark stands. Raises KubeError.

        `since` is the time of the mark, in whole seconds of the API server's clock; members of one call share it.
        """
        account = self._ledger.accounts.get(uid)
        if account is None or account.desired.deleting is not None or not self._fresh():
            return False
        try:
            put = await mark(self._kube, ref_of(account), self._text(uid, since))
        except (NotFound, Conflict):
            return False
        _wrote(account, put.resource_version)
        account.since = since
        folding.marked(self._ledger, account, put.finalizers)
        return True

    def _text(self, uid: str, since: float) -> str:
        return self._ledger.policy.create_marks.text(uid, since)

    async def chore(self, uid: str, move: Move) -> None:
        """Put our finalizers, or take them off, because a step asks for it. Raises KubeError."""
        account = self._ledger.accounts.get(uid)
        if account is None:
            return
        try:
            if move is Move.MARK:
                since = account.since if account.create_unknown else None
                marks = () if since is None else (self._text(uid, since),)
                put = await mark(self._kube, ref_of(account), *marks)
                _wrote(account, put.resource_version)
                folding.marked(self._ledger, account, put.finalizers)
            else:
                _wrote(account, await unmark(self._kube, ref_of(account), account.desired.finalizers))
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
