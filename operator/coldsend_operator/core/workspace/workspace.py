"""All that is known of one workspace, and the accounts that it serves.

The workspace is the state between the pure parts: `decide` chooses the next action of each account, `plan` the calls
that leave now, `apply` notes what became of them, `status` computes the status of each object. It does no I/O and reads
no clock: every method that needs the time gets it as Unix seconds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from itertools import count

from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Call, Operation, Scope
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.desired import Desired, KeyRef
from coldsend_operator.core.model.phases import Deleting, Gone
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.model.stored import Stored
from coldsend_operator.core.workspace import resuming
from coldsend_operator.core.workspace.audit import AuditTrail
from coldsend_operator.core.workspace.brake import Brake
from coldsend_operator.core.workspace.budget import Budget
from coldsend_operator.core.workspace.claims import Claims, address_of
from coldsend_operator.core.workspace.domains import Domains
from coldsend_operator.core.workspace.inventory import Inventory, NewestRead, Search
from coldsend_operator.core.workspace.jobs import Job, PollIntervals
from coldsend_operator.core.workspace.keys import Keys
from coldsend_operator.core.workspace.members import Members
from coldsend_operator.core.workspace.open_creates import Departed, LostCreates
from coldsend_operator.core.workspace.queues import Queues
from coldsend_operator.core.workspace.replacements import Replacements
from coldsend_operator.core.workspace.timers import Timers
from coldsend_operator.core.workspace.trust import Trust

APART_SECONDS = 600.0


class Workspace:
    """One workspace: its API keys and accounts, what ColdSend shows of them, its budget.

    It is opened with one key, whose digest names it. That another key leads here too is known late, as a rule: what was
    known with that key is merged then (see `core.workspace.merging`).

    `jitter` (0 to 1) is chance: it keeps the sweeps of shards and clusters that start together apart.
    """

    def __init__(
        self, digest: str, policy: Policy, claims: Claims, trust: Trust | None = None, jitter: float = 0.0
    ) -> None:
        self.digest = digest
        self.first_period = 1.0 - jitter / 2  # share of the period after which the second sweep comes
        self.id = digest  # addresses are claimed within it: `digest`, or that of the workspace it was merged into
        self.digests: frozenset[str] = frozenset({digest})  # of all keys known to lead here, former ones too
        self.keys = Keys(digest)
        self.merged_into: Workspace | None = None  # the accounts that are left here follow as soon as they may
        self.merged: list[Workspace] = []  # those that still have accounts
        self.policy = policy
        self.claims = claims
        self.trust = trust or Trust()
        self.accounts: dict[str, Account] = {}
        self.inventory = Inventory()
        self.domains = Domains()
        self.budget = Budget(policy.limits)
        self.brake = Brake(policy.brake)
        self.poll_intervals = PollIntervals()
        self.jobs: dict[str, Job] = {}
        self.in_flight: dict[int, Call] = {}
        self.parallel = {"Create": 1, "Delete": 1}  # bulks at once, by the operation of their job
        # halves of bulks that failed, to be called as they are
        self.splits: dict[Scope, list[tuple[str, ...]]] = {Scope.CREATE: [], Scope.DELETE: []}
        self.apart: dict[str, float] = {}  # namespaces whose calls share nothing with others, and until when
        self.finished_jobs: list[tuple[Job, str, float]] = []  # taken by the batches
        self.first_sweep_done = False
        self.undecided: dict[str, Exception] = {}  # accounts whose decision failed, and why
        self.stale_secrets: set[str] = set()  # accounts whose Secrets must be read again now
        self.queues = Queues()
        self.decisions: dict[str, Decision] = {}
        self.patches: dict[str, Action] = {}
        self.patching: set[str] = set()  # accounts with a patch under way: no call may leave meanwhile
        self.changed: set[str] = set()  # accounts whose status may have to be written
        self.dirty: set[str] = set()
        self.timers: Timers[str] = Timers()
        self.audit = AuditTrail()
        self.leads = False  # an object that comes now was marked by another process, if it is marked
        self.departed = Departed()
        self.lost_creates = LostCreates()
        self.implausible: str | None = None
        self.kube_offset = 0.0
        self.server_offset = 0.0
        self.begun = 0.0
        self.sweep_after = 0.0
        self.list_refusals = 0  # in a row
        self.newest = NewestRead()
        self.estimated_at = 0.0
        self.searches: dict[str, Search] = {}  # those that go on to a further page
        self.call_ids = count(1)
        self.replacements = Replacements(self)
        self.members = Members()

    # -- objects come, change and go

    def add(self, account: Account, now: float, key: str | None = None) -> None:
        """An account enters this workspace: at start, new, or moved from another one.

        `key` is the digest of its API key; None: that with which the workspace was opened.
        """
        known = bool(account.workspace_digest) or account.create_pending  # it may have waited for a key, in none
        moved = known and self.leads
        transitions.key_chosen(account, self.digest if key is None else key)
        self._enter(account, now)
        if moved:
            resuming.resume_after_move(self, account, now)
        else:
            resuming.resume(self, account, now)
        self.index(account)

    def _enter(self, account: Account, now: float) -> None:
        self.begun = self.begun or now
        self.accounts[account.uid] = account
        transitions.entered_workspace(account, self.digest)
        self.name_address(account)

    def take(self, account: Account, now: float) -> None:
        """An account of a workspace that was merged into this one comes as it is: all that is known of it holds."""
        self._enter(account, now)
        self.index(account)

    def use_key(self, account: Account, digest: str) -> None:
        """The account's own calls go with this key of the workspace from now on."""
        transitions.key_chosen(account, digest)
        self.keys.place(account.uid, digest)
        self.touch(account.uid)

    def resume(self, now: float) -> None:
        """This process leads from now on; creates of the one before it may have left until just now."""
        self.begun = now
        self.jobs.clear()
        for account in self.accounts.values():
            transitions.run_began(account)
            resuming.resume(self, account, now)
            self.index(account)
        self.leads = True  # from here on: what comes now was not found at the start

    def update(self, account: Account, desired: Desired) -> None:
        """The API server showed a newer state of the object."""
        transitions.shown(account, desired)
        self.name_address(account)
        self.index(account)

    def depart(self, uid: str, now: float) -> None:
        """The object is gone, or has left the selector: with a create under way it is remembered for a while."""
        account = self.remove(uid)
        if account is not None and self.leads and not account.stored.held and account.marked_at is not None:
            (self.merged_into or self).departed.put(account, now)

    def remove(self, uid: str) -> Account | None:
        """The object is gone, or moves to another workspace."""
        account = self.leave(uid)
        if account is not None:
            self.brake.forget(uid)
            if account.busy is None:
                self.audit.forget(uid)
        return account

    def leave(self, uid: str) -> Account | None:
        """The account is no longer here; what the brake and the audit log know of it stays."""
        account = self.accounts.pop(uid, None)
        if account is None:
            return None
        self.queues.drop(uid)
        self.keys.place(uid, None)
        self.trust.place(uid, account.desired.key_ref, None)
        self.members.drop(account)
        self.replacements.leave(uid)
        self.decisions.pop(uid, None)
        self.timers.drop(uid)
        self.undecided.pop(uid, None)
        self.patches.pop(uid, None)
        self.searches.pop(uid, None)
        self.stale_secrets.discard(uid)
        self.changed.discard(uid)
        self.dirty.discard(uid)
        for job in self.jobs.values():
            job.members.discard(uid)
            job.unstored.discard(uid)
        self.touch_in_all_parts(self.claims.remove(account))
        return account

    def name_address(self, account: Account) -> None:
        """Note the address of the account, as far as it is known by now."""
        address = address_of(account, self.domains, self.inventory)
        if address is not None or account.desired.spec.native is None:
            transitions.address_found(account, address)

    def touch(self, uid: str) -> None:
        """Something about this account changed: decide again."""
        self.dirty.add(uid)

    def touch_all(self, uids: Iterable[str]) -> None:
        self.dirty.update(uids)

    def touch_everything(self) -> None:
        self.dirty.update(self.accounts)

    def touch_others(self, account: Account) -> None:
        """Those that stand in line for the address of this account."""
        self.touch_in_all_parts({other.uid for other in self.claims.claimants(account, self.id)})

    @property
    def parts(self) -> "tuple[Workspace, ...]":
        """The workspace, and what was merged into it and still has accounts: one line for an address (rule 13)."""
        whole = self.merged_into or self
        return (whole, *whole.merged)

    def touch_in_all_parts(self, uids: Set[str]) -> None:
        """Decide again for these."""
        for part in self.parts if uids else ():
            part.dirty |= uids & part.accounts.keys()

    def touch_address(self, address: str) -> None:
        self.dirty.update(self.claims.at(address, self.id))
        self.dirty.update(self.members.observing(address))

    # -- deciding

    @property
    def managed(self) -> Mapping[str, int]:
        """How many inboxes the objects of this workspace hold, by namespace."""
        if len(self.parts) == 1:
            return self.members.holders
        return sum((part.members.holders for part in self.parts), Counter[str]())

    @property
    def refs(self) -> frozenset[KeyRef]:
        """The key references of these accounts."""
        return self.members.refs() | self.members.refs(deleting=True)

    # -- what decisions ask for

    def wait_until(self, account: Account) -> float:
        """When the wait for a lost create is over."""
        return self.lost_creates.wait_until(account, self.policy.lost_seconds)

    def goes_again(self, account: Account) -> bool:
        """Whether the account's bulk goes again at once, in halves that are to stay together: that renews its mark."""
        namespaces = frozenset({account.desired.namespace})
        blocked = self.keys.breaker(account.key).block_of(Operation.CREATE_SMTP, namespaces) is not None
        return not blocked and any(account.uid in split for split in self.splits[Scope.CREATE])

    def confirmed_gone(self, account: Account) -> bool:
        """Absence is proven by one 404, or one proven list started after ColdSend accepted the delete.

        Where its answer was lost the inbox may be absent only because a list lags behind its creation.
        """
        match account.removal:
            case Gone():
                return True
            case Deleting(at=at, answered=answered) if account.stored.inbox_id not in self.inventory.rows:
                return self.inventory.listed_at > at + (0.0 if answered else self.policy.lost_seconds)
        return False

    # -- indexes

    def index(self, account: Account) -> None:
        """The account has changed: update its claims, and decide again for others whom that affects."""
        if self.accounts.get(account.uid) is not account:
            return
        self.touch_all(self.replacements.place(account))
        self.touch_in_all_parts(self.claims.update(account, self.id))
        self.keys.place(account.uid, account.key)
        self.members.place(account)
        bound = account.stored.applied.workspace if account.stored.applied else None
        refers = account.desired.namespace not in self.policy.unread_namespaces  # else its namespace may name the key
        self.trust.place(account.uid, account.desired.key_ref, bound if account.stored.held and refers else None)
        self.touch(account.uid)

    def namespaces_of(self, uids: Iterable[str]) -> frozenset[str]:
        """The namespaces of these accounts."""
        return frozenset(self.accounts[uid].desired.namespace for uid in uids if uid in self.accounts)

    def set_apart(self, namespaces: Iterable[str], now: float) -> None:
        """A call for these had an unknown outcome: for a while none of them shares a call with another (rule 41)."""
        kept = {namespace: until for namespace, until in self.apart.items() if until > now}
        self.apart = kept | dict.fromkeys(namespaces, now + APART_SECONDS)

    def status_stored(self, uid: str, stored: Stored) -> None:
        """The API server holds this now: actions that wait for it may follow."""
        account = self.accounts.get(uid)
        if account is None:
            return
        transitions.status_shown(account, stored)
        for job in self.jobs.values():
            if uid in job.unstored and stored.job is not None and stored.job.id == job.id:
                job.unstored.discard(uid)
        self.touch(uid)
        self.touch_in_all_parts({other.uid for other in self.claims.same_inbox(account)})
