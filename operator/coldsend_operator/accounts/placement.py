"""Which workspace each account is in: the one of its API key, and none while it has no usable key."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from coldsend_operator.accounts.cleanup import Cleanup
from coldsend_operator.accounts.clients import Clients
from coldsend_operator.accounts.status_writer import ref_of
from coldsend_operator.accounts.workspace_loop import WorkspaceLoop
from coldsend_operator.accounts.workspaces import Workspaces
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.desired import OWN_KEY, KeyRef
from coldsend_operator.core.model.membership import Membership
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.claims import NO_WORKSPACE
from coldsend_operator.core.workspace.merging import follow, may_follow
from coldsend_operator.core.workspace.trust import created_elsewhere
from coldsend_operator.credentials.api_keys import MADE_UP, NOT_FOR_NAMESPACE, TOO_MANY, KeyRing
from coldsend_operator.kube.set_aside import PLACE

KEY_PAUSE = 1.0


class Placement:
    """Places each account into the workspace of its key, and reads the keys again when they are due.

    `on_placed` is called when an account has a workspace, `on_unread` when an account arrives whose namespace was not
    read yet.
    """

    def __init__(
        self, accounts: dict[str, Account], policy: Policy, workspaces: Workspaces, ring: KeyRing, clients: Clients
    ) -> None:
        self.cleanup = Cleanup(workspaces, ring, clients)
        self.on_placed: Callable[[], None] = lambda: None
        self.on_unread: Callable[[], None] = lambda: None
        self._accounts = accounts
        self._policy = policy
        self._workspaces = workspaces
        self._workspaces.place_again = self.place_all
        self._ring = ring
        self._clients = clients
        self._refs = Membership[KeyRef]()
        self._moves: dict[str, asyncio.TimerHandle] = {}  # accounts that may not leave their workspace yet
        self._unplaced: set[str] = set()
        self._from_elsewhere: set[str] = set()  # accounts that named another key before, and wait for this one
        self._over_key_limit: set[str] = set()  # their namespace uses too many keys
        self._key_wake = asyncio.Event()

    # -- one account

    def knows(self, namespace: str) -> bool:
        """Whether the namespace was read: nothing is decided for its objects before."""
        known = namespace in self._policy.namespaces
        if not known:
            self.on_unread()
        return known

    def place(self, account: Account) -> None:
        """Place the account into the workspace of its key; into none while it has no usable key."""
        if not self.knows(account.desired.namespace):
            self._await_workspace(account)
            self._tell_why_it_waits(account)
            return
        ref = account.desired.key_ref
        if self._refs.key_of(account.uid) not in {None, ref}:
            self._from_elsewhere.add(account.uid)
        self._refs.place(account.uid, ref)
        self._cancel_move(account.uid)
        state = self._ring.admit(ref, held=self._needs_key(account))
        self._over_key_limit.discard(account.uid)
        if state.problem is TOO_MANY:
            self._over_key_limit.add(account.uid)
        if state.digest is None and state.problem is None:
            self._await_workspace(account)
            # the workspace of the new key is not known: nothing is created with the former key
            transitions.moving(account, away=True)
            self._key_wake.set()
            return
        allowed = self._policy.may_use_key(account.desired)
        known = (state.digest, state.problem) if allowed else (None, NOT_FOR_NAMESPACE)
        digest, problem = self._for_deletion(account, *known)
        transitions.key_read(account, _by_default(problem) if account.desired.spec.key is None else problem)
        if self._workspaces.running and state.digest is not None and account.uid in self._from_elsewhere:
            self._workspaces.trust.begin(ref, state.digest, account.uid)
        if state.problem is not TOO_MANY:
            self._from_elsewhere.discard(account.uid)
        self._move(account, digest or NO_WORKSPACE, ref)

    def _tell_why_it_waits(self, account: Account) -> None:
        """If its namespace cannot be read, place it where only its status is written."""
        unread = self._policy.unread_namespaces.get(account.desired.namespace)
        if unread is None:
            return
        transitions.key_read(account, (Reason.API_UNAVAILABLE, unread))
        loop = self._workspaces.open(NO_WORKSPACE, OWN_KEY)
        if account.uid not in loop.workspace.accounts:
            loop.workspace.add(account, self._clients.clock(), NO_WORKSPACE)
        loop.decide_again(account.uid)

    def _await_workspace(self, account: Account) -> None:
        """Decide nothing for it yet, but let no younger object take its address meanwhile (rule 13)."""
        self._unplaced.add(account.uid)
        if self._workspaces.of_account(account) is None:
            transitions.addressed(account)
            self._workspaces.claims.await_workspace(account)
            self._touch_others(account)  # it may no longer claim the address for which they wait

    def _found_workspace(self, account: Account) -> None:
        """It has a workspace now, or is gone: other accounts no longer wait for it."""
        self._unplaced.discard(account.uid)
        if self._workspaces.claims.found_workspace(account.uid):
            self._touch_others(account)

    def _touch_others(self, account: Account) -> None:
        """Decide again for those that claim the same address in any workspace."""
        for loop in self._workspaces.loops.values():
            loop.workspace.touch_others(account)
            loop.wake()

    def _for_deletion(
        self, account: Account, digest: str | None, problem: tuple[Reason, str] | None
    ) -> tuple[str | None, tuple[Reason, str] | None]:
        """The key for a deletion: any in memory that leads to the workspace of its inbox (rule 26)."""
        if account.desired.deleting is None:
            return digest, problem
        bound = account.stored.applied.workspace if account.stored.applied else account.key
        loop = self._workspaces.of_key(digest) if digest is not None else None
        if problem is None and loop is not None and bound in loop.workspace.digests:
            return digest, None  # a rotated key: ColdSend may refuse the old one by now
        if problem is None and digest is not None and digest != bound and self._workspaces.refused(bound):
            return digest, None  # with it, only the own inboxID is deleted, and only if it shows that (rule 15)
        if bound in self._ring.keys and problem is not MADE_UP:  # else the key in memory is somebody else's
            return bound, None
        if digest is not None and problem is not None and digest in self._ring.keys:
            return digest, None
        return digest, problem

    def _move(self, account: Account, digest: str, ref: KeyRef) -> None:
        """Move the account into the workspace of its key."""
        old = self._workspaces.of_account(account)  # it stayed there while it waited for the new key
        transitions.moving(account, away=False)
        loop = self._workspaces.open(digest, ref)
        if old is not None and old is not loop and not self._leaves(account, old, loop):
            return
        if old is loop and account.key == digest:
            self._found_workspace(account)
            loop.decide_again(account.uid)
            self.on_placed()
            return
        if account.uid in loop.workspace.accounts:  # with another key, or of a workspace that was merged into this one
            loop.workspace.use_key(account, digest)
        else:
            loop.workspace.add(account, self._clients.clock(), digest)
        self._found_workspace(account)
        if self._workspaces.running:
            self._workspaces.settle_trust(loop.workspace, ref)
        loop.wake()
        self.on_placed()

    def _leaves(self, account: Account, old: WorkspaceLoop, loop: WorkspaceLoop) -> bool:
        """Take the account out of its workspace; returns False if it may not leave yet, which is tried again later."""
        if old.workspace.merged_into is loop.workspace:
            if may_follow(account, old.workspace):
                follow(account, old.workspace, self._clients.clock())
                return True
        elif self._may_leave(account, old):
            old.workspace.remove(account.uid)
            if old.keys:  # without a key nothing was seen there
                transitions.left_workspace(account)
            return True
        else:
            transitions.moving(account, away=True)
            old.decide_again(account.uid)
        self._moves[account.uid] = asyncio.get_running_loop().call_later(KEY_PAUSE, self._again, account.uid)
        return False

    def _may_leave(self, account: Account, loop: WorkspaceLoop) -> bool:
        """Whether nothing is under way with its old key that has to end first, unless ColdSend refuses that key."""
        if account.busy is not None:
            return False
        if not loop.keys:
            return True
        if self._workspaces.refused(account.key):
            return True
        sought = account.unknown_create is not None and not created_elsewhere(loop.workspace, account)
        return not sought and account.job is None

    def _again(self, uid: str) -> None:
        """Place the account again; a failure affects only this account (rule 38)."""
        account = self._accounts.get(uid)
        if account is not None:
            with self._clients.set_aside.trying(ref_of(account), PLACE, partial(self._again, uid)):
                self.place(account)

    def _needs_key(self, account: Account) -> bool:
        """Whether it holds an inbox that was created or adopted with its key."""
        return account.stored.held and account.uid not in self._from_elsewhere

    def _cancel_move(self, uid: str) -> None:
        move = self._moves.pop(uid, None)
        if move is not None:
            move.cancel()

    def forget(self, account: Account) -> None:
        """The object is gone."""
        self._found_workspace(account)
        self._over_key_limit.discard(account.uid)
        self._from_elsewhere.discard(account.uid)
        self._refs.place(account.uid, None)
        self._cancel_move(account.uid)

    @property
    def complete(self) -> bool:
        """Whether every account of a namespace that was read has a workspace."""
        return not any(self._accounts[uid].desired.namespace in self._policy.namespaces for uid in self._unplaced)

    # -- the keys

    def start(self) -> None:
        """Call this before the first call: keys without an inbox give way to those with one (rule 43)."""
        needed = {account.desired.key_ref for account in self._accounts.values() if self._needs_key(account)}
        for ref in self._ring.drop_over_limit(needed):
            self.place_all(self._refs.members(ref))

    def hasten(self, account: Account) -> None:
        """Read its API key again now."""
        self._ring.hasten(account.desired.key_ref)
        self._key_wake.set()

    async def watch_keys(self) -> None:
        """Read keys when they are due; move the accounts of those that changed."""
        while True:
            freed = self._ring.forget(set(self._refs.counts()))
            self.place_all(self._over_key_limit_in(freed))
            self._ring.hasten_refused(frozenset(filter(self._workspaces.refused, self._workspaces.keys)))
            changed = await self._ring.refresh()
            for ref in changed:
                self.place_all(self._refs.members(ref))
            if changed:
                self.place_all(self._without_key())
            self.place_all(self._with_refused_key())
            await self._tidy()
            due = self._ring.next_due()
            pause = KEY_PAUSE if due is None else min(KEY_PAUSE, max(0.0, due - self._clients.clock()))
            self._key_wake.clear()
            try:
                await asyncio.wait_for(self._key_wake.wait(), pause)
            except TimeoutError:
                continue

    async def _tidy(self) -> None:
        if self._workspaces.running:
            if not self._unplaced:  # else the keys of some accounts are not known yet
                self._workspaces.trust.forget(
                    frozenset(self._refs.counts()), self._workspaces.trust.bound() | self._workspaces.keys
                )
            await self._clients.bookings.save_trust(self._workspaces.trust)
        await self.cleanup.run_once(leading=self._workspaces.running)

    def _over_key_limit_in(self, namespaces: frozenset[str]) -> list[str]:
        """Objects of these namespaces whose key was one too many: another one may be used now."""
        if not namespaces:
            return []
        return [uid for uid in self._over_key_limit if self._accounts[uid].desired.namespace in namespaces]

    def _without_key(self) -> list[str]:
        """Objects in deletion that wait for a key: a key of another object may serve them (rule 26)."""
        found = (account for account in self._accounts.values() if account.key_problem is not None)
        return [account.uid for account in found if account.desired.deleting is not None]

    def _with_refused_key(self) -> list[str]:
        """Objects in deletion whose key ColdSend refuses, while their reference has another one now."""
        found = (
            self._accounts[uid]
            for digest in filter(self._workspaces.refused, self._workspaces.keys)
            for uid in self._workspaces.users(digest)
        )
        return [each.uid for each in found if each.desired.deleting is not None and self._has_another_key(each)]

    def _has_another_key(self, account: Account) -> bool:
        state = self._ring.state(account.desired.key_ref)
        return state.problem is None and state.digest not in {None, account.key}

    def place_all(self, uids: Iterable[str]) -> None:
        for uid in list(uids):
            self._again(uid)


def _by_default(problem: tuple[Reason, str] | None) -> tuple[Reason, str] | None:
    """The same problem of a key that the namespace names instead of the object."""
    if problem is None:
        return None
    return problem[0], problem[1].replace("(spec.apiKeySecretRef)", "(coldsend.pro/api-key-secret of the namespace)")
