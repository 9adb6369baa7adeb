"""Adds and removes finalizers and create marks: before a call, or as an action of their own (rules 4 and 39)."""

import asyncio

from coldsend_operator.accounts.clients import Clients
from coldsend_operator.accounts.status_writer import ref_of
from coldsend_operator.core.apply import patches
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.kube.errors import Conflict, KubeError, NotFound, by_admission
from coldsend_operator.kube.finalizers import add_finalizers, remove_finalizers
from coldsend_operator.kube.objects import version_number

TROUBLE_PAUSE = 1.0


class FinalizerWriter:
    """Writes the finalizers of the accounts of one workspace."""

    def __init__(self, workspace: Workspace, clients: Clients) -> None:
        self._workspace = workspace
        self._kube = clients.kube
        self._leadership = clients.leadership

    async def add_before_call(self, uid: str, since: float) -> bool:
        """Add the create mark before a create leaves. Returns whether it is set. Raises KubeError.

        `since` is the time of the mark, in whole seconds of the API server's clock; members of one call share it.
        """
        account = self._workspace.accounts.get(uid)
        if account is None or account.desired.deleting is not None or not self._leadership.fresh():
            return False
        try:
            put = await add_finalizers(self._kube, ref_of(account), *self._marks(account, since))
        except (NotFound, Conflict):
            return False
        except KubeError as error:
            self._note_refusal(account, error)
            raise
        _wrote(account, put.resource_version)
        transitions.marked(account, since)
        patches.finalizers_added(self._workspace, account, put.finalizers)
        return True

    def _marks(self, account: Account, since: float) -> tuple[str, ...]:
        return self._workspace.policy.create_marks.texts(account.uid, since, account.repeated_mark)

    async def patch(self, uid: str, action: Action) -> None:
        """Add or remove our finalizers, as an action asks. Raises KubeError."""
        account = self._workspace.accounts.get(uid)
        if account is None:
            return
        try:
            if action is Action.ADD_FINALIZER:
                since = account.marked_at if account.create_pending else None
                marks = () if since is None else self._marks(account, since)
                put = await add_finalizers(self._kube, ref_of(account), *marks)
                _wrote(account, put.resource_version)
                patches.finalizers_added(self._workspace, account, put.finalizers)
            else:
                _wrote(account, await remove_finalizers(self._kube, ref_of(account), account.desired.finalizers))
                patches.finalizers_removed(self._workspace, account)
        except (NotFound, Conflict):
            await asyncio.sleep(TROUBLE_PAUSE)
            patches.patch_failed(self._workspace, account)
        except KubeError as error:
            self._note_refusal(account, error)
            patches.patch_failed(self._workspace, account)
            raise

    def _note_refusal(self, account: Account, error: KubeError) -> None:
        if by_admission(error):
            patches.write_refused(self._workspace, account, error.message)


def _wrote(account: Account, version: str | None) -> None:
    """Remember the version of our write: older watch events show the former finalizers."""
    transitions.written(account, version_number(version))
