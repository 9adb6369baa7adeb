"""The controller of SenderAccount: takes its watch events, and starts and stops the workspaces."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from coldsend_operator.accounts.clients import Clients
from coldsend_operator.accounts.placement import Placement
from coldsend_operator.accounts.reading import read_desired, read_object
from coldsend_operator.accounts.workspace_loop import WorkspaceLoop
from coldsend_operator.accounts.workspaces import Workspaces
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.desired import Desired
from coldsend_operator.core.model.membership import Membership
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.model.stored_status import Status, account_status, to_text
from coldsend_operator.core.status.stored import stored_of
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.api_keys import KeyRing

UNREADABLE = "The operator could not read the latest state of this object; see its Events and the operator's log."


class AccountController:
    """Knows every account; `on_seen`, `on_spec_change` and `on_gone` are called after the events of that name."""

    def __init__(self, policy: Policy, ring: KeyRing, clients: Clients) -> None:
        self.policy = policy
        self.accounts: dict[str, Account] = {}
        self.on_seen: list[Callable[[Account], None]] = []
        self.on_spec_change: list[Callable[[Account], None]] = []
        self.on_gone: list[Callable[[Account], None]] = []
        self._workspaces = Workspaces(policy, ring, clients)
        self.loops = self._workspaces.loops
        self.placement = Placement(self.accounts, policy, self._workspaces, ring, clients)
        self._clients = clients
        self._namespaces = Membership[str]()

    # -- watch events

    def seen(self, raw: Mapping[str, Any]) -> None:
        """Take in an object from a watch event; it may be new, changed or unchanged."""
        uid = raw["metadata"]["uid"]
        account = self.accounts.get(uid)
        if account is None:
            self._read(raw)
            return
        if not self._workspaces.running:
            self._read_again(account, raw)
            return
        desired = self._with_default(read_desired(raw))
        if desired.resource_version < max(account.desired.resource_version, account.written_version):
            if desired.generation <= account.desired.generation:
                return  # older than our last write, whose own event follows
            desired = replace(
                desired,
                resource_version=account.desired.resource_version,
                finalizers=account.desired.finalizers,
            )
        else:
            self._see_status(account, account_status(raw.get("status")))
        placed = self._workspaces.of_account(account) is not None
        if placed and desired == replace(account.desired, resource_version=desired.resource_version):
            transitions.shown(account, desired)  # nothing else is new, as after our own write
            return
        if desired.reconcile != account.desired.reconcile:
            self.placement.hasten(account)
        changed_spec = desired.generation != account.desired.generation
        self._update(account, desired)
        self.placement.place(account)
        if changed_spec:
            _tell(self.on_spec_change, account)
        _tell(self.on_seen, account)

    def _read(self, raw: Mapping[str, Any]) -> None:
        account = read_object(raw)
        transitions.shown(account, self._with_default(account.desired))
        self.accounts[account.uid] = account
        self._namespaces.place(account.uid, account.desired.namespace)
        self.placement.place(account)
        _tell(self.on_seen, account)

    def _read_again(self, account: Account, raw: Mapping[str, Any]) -> None:
        """Read a known object as if it were new: a standby knows of it only what the leader has written."""
        loop = self._workspaces.of_account(account)
        if loop is not None:
            loop.workspace.remove(account.uid)
        self._read(raw)

    def _update(self, account: Account, desired: Desired) -> None:
        loop = self._workspaces.of_account(account)
        if loop is None:
            transitions.shown(account, desired)
        else:
            loop.workspace.update(account, desired)

    def _see_status(self, account: Account, status: Status) -> None:
        """The status may be our own, of a write whose response was lost."""
        if to_text(status) == account.raw_status:
            return
        transitions.status_kept(account, status)
        stored = stored_of(status)
        loop = self._workspaces.of_account(account)
        if loop is None:
            transitions.status_shown(account, stored)
        else:
            loop.workspace.status_stored(account.uid, stored)

    def unreadable(self, uid: str) -> None:
        """The newest state of the object cannot be read: start nothing for it (rule 38: it affects only itself)."""
        account = self.accounts.get(uid)
        loop = self._workspaces.of_account(account) if account is not None else None
        if account is not None and loop is not None:
            transitions.unreadable(account, UNREADABLE)
            loop.decide_again(uid)

    def roll_back(self, uid: str) -> None:
        """Accept the next state of the object although it is older: the API server was restored."""
        account = self.accounts.get(uid)
        if account is not None:
            transitions.restored(account)

    def gone(self, uid: str) -> None:
        """The object no longer exists, or left the shard."""
        account = self.accounts.pop(uid, None)
        if account is None:
            return
        self.placement.forget(account)
        self._namespaces.place(uid, None)
        loop = self.loop_of(account)
        if loop is not None:
            loop.workspace.depart(uid, self._clients.clock())
            loop.wake()
        _tell(self.on_gone, account)

    # -- namespaces

    @property
    def namespaces(self) -> set[str]:
        """The namespaces with accounts."""
        return set(self._namespaces.counts())

    def namespace_changed(self, namespace: str) -> None:
        """The namespace was read for the first time, or its settings changed."""
        for uid in self._namespaces.members(namespace):
            account = self.accounts[uid]
            desired = self._with_default(account.desired)
            if desired is not account.desired:
                self._update(account, desired)
            self.placement.place(account)

    def _with_default(self, desired: Desired) -> Desired:
        """The same with the API key of its namespace, for objects that name none."""
        settings = self.policy.namespaces.get(desired.namespace)
        key = settings.key if settings is not None else desired.default_key
        return desired if key == desired.default_key else replace(desired, default_key=key)

    # -- running

    def start(self) -> None:
        """Start to send calls, once both kinds are listed, the state is loaded, and the Lease is ours (rule 1)."""
        self.placement.start()
        self._workspaces.start()

    async def stop(self) -> None:
        await self._workspaces.stop()
        await self.placement.cleanup.closing.drain()
        await self._workspaces.close_clients()

    @property
    def workspaces(self) -> list[Workspace]:
        return [loop.workspace for loop in self.loops.values()]

    def loop_of(self, account: Account | None) -> WorkspaceLoop | None:
        """The loop of the account's workspace, or of its last one."""
        return self.loops.get(account.workspace_digest) if account is not None else None

    def wake(self, account: Account) -> None:
        loop = self.loop_of(account)
        if loop is not None:
            loop.wake()

    def decide_all_again(self) -> None:
        for loop in self.loops.values():
            loop.workspace.touch_everything()
            loop.wake()

    @property
    def loop_ended(self) -> bool:
        """Whether the loop of a workspace has ended, as none does before `stop`."""
        return any(task.done() for task in self._workspaces.tasks.values())


def _tell(listeners: list[Callable[[Account], None]], account: Account) -> None:
    for listener in listeners:
        listener(account)
