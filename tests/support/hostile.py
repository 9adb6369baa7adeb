"""A hostile tenant with the permissions of one namespace, and a ColdSend that fails on some items.

`HostileWorld` is the simulation with two namespaces: victims live in `sales`, the tenant in `support`. What becomes of
the tenant's own objects is his business. `check` and `finish` say what must hold for everybody else.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.core.decide.questions import CLOCK_SLACK, LATEST
from coldsend_operator.core.model import create_marks
from coldsend_operator.core.model.answers import address_key
from coldsend_operator.core.model.hashes import workspace_digest
from coldsend_operator.kube.client import FIELD_MANAGER
from coldsend_operator.resources.names import ACCOUNT_KIND, API_VERSION, FINALIZER, RECONCILE_ANNOTATION
from tests.support.cluster import Raw, WatchEvent
from tests.support.ending import holds
from tests.support.poison import PoisonedColdSend, RefusingColdSend, Remotes
from tests.support.process import API_KEY
from tests.support.remote import FakeColdSend, Inbox
from tests.support.simulation import SECOND, SECOND_KEY, Simulation
from tests.support.stories import ready_of

VICTIMS, TENANT = "sales", "support"
OWN = "own"  # the Secret with the key of the tenant's own workspace
OWN_KEY = "cs_live_own"
SLACK = CLOCK_SLACK + 1.0  # marks have whole seconds
FORGED = "a" * 24  # in place of the MAC of a mark
BOUND = 2 * 3600.0  # simulated seconds: a spent hour, and the work that waits for the next

API_DIGEST, SECOND_DIGEST = workspace_digest(API_KEY), workspace_digest(SECOND_KEY)
NO_HISTORY = {"AlreadyExists"}
"""Valid reasons of an object restored from before its create: the inbox may belong to anybody (rule 6)."""

STATUSES: tuple[Raw, ...] = (
    {"conditions": None},
    {"conditions": [{"type": "Ready", "status": "False", "reason": "WordOfTomorrow", "message": ""}]},
    {"conditions": [{"type": "CredentialsCurrent", "status": "True", "reason": "WordOfTomorrow", "message": ""}]},
    {"job": {"id": None, "operation": "Create"}},
    {"job": {"id": "job-of-nobody", "operation": "Create", "state": "Running"}},
    {"origin": "WordOfTomorrow", "inboxID": "inbox-of-nobody"},
    {"lastApplied": None, "testEmail": None, "healthScore": None, "emailsSentToday": None},
)
"""Statuses that another version or a person may have written."""


@dataclass
class HostileWorld(Simulation):
    """`sales` may adopt, `support` may not, whatever its objects say."""

    changes: dict[str, Any] = field(default_factory=lambda: {"adopt_namespaces": (VICTIMS,)})
    restored: set[str] = field(default_factory=set)  # addresses of objects that lost their history in a restore
    contested: set[str] = field(default_factory=set)  # addresses that anybody, or nobody, may hold in the end
    second: set[str] = field(default_factory=set)  # addresses that the tenant claims with the second key
    unstored: set[str] = field(default_factory=set)  # addresses of objects without inbox when a process was killed
    jumped: set[str] = field(default_factory=set)  # addresses of objects without inbox when a clock was set
    state_restored: bool = False  # the state ConfigMap is that of a backup
    leaps: float = 0.0  # seconds by which clocks were set, all together
    marked_again: dict[str, list[float]] = field(
        default_factory=dict
    )  # by address: when marks were made that came back
    beside_marks: dict[str, list[float]] = field(
        default_factory=dict
    )  # by inbox that a person made: when the marks were made that said then that a create leaves

    def __post_init__(self) -> None:
        super().__post_init__()
        limits: dict[str, Any] = {"per_minute": self.per_minute, "per_hour": self.per_hour, "page_size": self.page_size}
        self.remote = self.poisoned = PoisonedColdSend(
            self.clock, lag=self.lag, offset=self.remote_offset, item_seconds=self.item_seconds, **limits
        )
        self.watch.remote = self.remote
        self.watch.looks_like_ours = self._looks_like_ours
        self.elsewhere = PoisonedColdSend(self.clock, ids="elsewhere", **limits)
        known: dict[str, FakeColdSend] = {API_KEY: self.remote, SECOND_KEY: self.remote, OWN_KEY: self.elsewhere}
        self.remotes = Remotes(known, RefusingColdSend(self.clock, **limits))
        self.cluster.write_secret(TENANT, OWN, {"apiKey": OWN_KEY})
        self._snapshot: tuple[dict[str, Raw], dict[str, Raw], int] | None = None
        self._numbers = 0

    # -- victims

    def victim(self, **fields: Any) -> str:
        """A new account of a victim, with an unused address."""
        self._numbers += 1
        uid = self.apply(VICTIMS, f"victim-{self._numbers}", f"v{self._numbers}@company.com", **fields)
        assert uid is not None
        return uid

    @property
    def victims(self) -> list[str]:
        return [uid for uid, story in self._existing.items() if story.namespace == VICTIMS]

    # -- the tenant

    @property
    def tenants(self) -> list[str]:
        return [uid for uid, story in self._existing.items() if story.namespace == TENANT]

    def tenant(self, address: str, **fields: Any) -> str | None:
        self._numbers += 1
        uid = self.apply(TENANT, f"tenant-{self._numbers}", address, **fields)
        if uid is not None:
            self._contest(uid)
        return uid

    def move(self, uid: str, key: str | None) -> None:
        """The object references another key."""
        self.edit(uid, apiKeySecretRef=None if key is None else {"name": key})
        self._contest(uid)

    def _contest(self, uid: str) -> None:
        """With a key of the workspace a tenant may create any inbox that nobody has: first come, first served."""
        raw, address = self.raw(uid), self.stories[uid].address
        live = [inbox for inbox in self.remote.at(address) if not inbox.by_hand]
        # By creationTimestamp: it has whole seconds, and the clock of the API server may step back.
        rivals = [self.raw(victim) for victim in self.victims if self.stories[victim].address == address]
        held = any(holds(rival, inbox.inbox_id) for rival in rivals for inbox in live)
        if live and (held or not rivals):  # an etcd of before its create shows a victim without its inbox
            return
        created = raw["metadata"]["creationTimestamp"]
        if any(created <= rival["metadata"]["creationTimestamp"] for rival in rivals):
            self.contested.add(address)
        if (raw["spec"].get("apiKeySecretRef") or {}).get("name") == SECOND:
            self.second.add(address)

    def _knows_both_keys(self) -> bool:
        """Whether the operator knows that the two keys share a workspace; before, each has its own queue."""
        workspaces = [loop.workspace for loop in self.process.loops] if self.process is not None else []
        return any({API_DIGEST, SECOND_DIGEST} <= workspace.digests for workspace in workspaces)

    def make_by_hand(self, address: str) -> None:
        """A person makes the inbox that a create of an object with this address would make."""
        if self.remote.at(address):
            return
        inbox = self.remote.make_by_hand(address, name="Jane")
        for raw in self.cluster.of_kind(ACCOUNT_KIND):
            mine = self.stories[raw["metadata"]["uid"]].address == address_key(address)
            if mine and not (raw.get("status") or {}).get("inboxID"):
                times = [self._time_of(mark) for mark in _marks(raw)]
                self.beside_marks.setdefault(inbox.inbox_id, []).extend(times)

    def _time_of(self, mark: str) -> float:
        return float(mark.split(".")[2]) - self.cluster_offset

    def forge(self, uid: str, *, since: int = 0, old: str | None = None) -> None:
        """Our finalizer, a mark, and managedFields that say that the operator put them there in the year 0."""
        raw = self.raw(uid)
        mark = old or f"{create_marks.PREFIX}{since}.{FORGED}"
        owned: Raw = {"f:metadata": {"f:finalizers": {f'v:"{FINALIZER}"': {}, f'v:"{mark}"': {}}}}
        entry = {
            "manager": FIELD_MANAGER,
            "operation": "Apply",
            "apiVersion": API_VERSION,
            "time": "0000-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": owned,
        }
        if "deletionTimestamp" not in raw["metadata"]:
            forged = {"finalizers": [FINALIZER, mark], "managedFields": [entry]}
            self.cluster._update(raw | {"metadata": raw["metadata"] | forged})

    def replay(self, uid: str) -> None:
        """Restore a create mark that the operator once set on the object."""
        marks = {
            mark
            for event in self.cluster.history
            if event.object["metadata"]["uid"] == uid
            for mark in _marks(event.object)
        }
        for mark in sorted(marks)[:1]:
            self.marked_again.setdefault(self.stories[uid].address, []).append(self._time_of(mark))
            self.forge(uid, old=mark)

    def wipe(self, uid: str) -> None:
        raw, address = self.raw(uid), self.stories[uid].address
        # A tenant that removes its own create mark before a restart may get two inboxes; nobody else may.
        if address in self.contested or all(self.stories[victim].address != address for victim in self.victims):
            self.watch.loose.add(address)
        if "deletionTimestamp" in raw["metadata"]:
            self.watch.ended(uid)
        self.cluster.wipe_finalizers(uid)

    def rewrite_status(self, uid: str, status: Raw) -> None:
        """A status written by another version, or by somebody who may write statuses, which tenants may not."""
        raw = self.raw(uid)
        if status.keys() & {"inboxID", "job"}:  # inboxID in a status is trusted
            self.contested.add(self.stories[uid].address)
            self.watch.loose.add(self.stories[uid].address)
        if status.keys() & {
            "inboxID",
            "job",
            "conditions",
        }:  # what was said of the inbox is gone until it is read again
            self.stories[uid].ready_may_go = True
        if "job" in status:  # so is the job of a create, again after a restore that brings it back
            address = self.stories[uid].address
            self.remote.sent([address])
            self.marked_again.setdefault(address, []).append(self.remote.clock())
            self.stories[uid].may_adopt = True
        self.cluster._update(raw | {"status": {**(raw.get("status") or {}), **status}})

    def junk_metadata(self, uid: str) -> None:
        """What the API server stores: it replaces managedFields that it cannot decode by the current ones."""
        raw = self.raw(uid)
        metadata = raw["metadata"] | {
            "labels": {"coldsend.pro/batch": "no-such-batch"},
            "ownerReferences": [{"kind": "SenderAccountBatch", "apiVersion": "x/v1", "name": "no", "uid": "no"}],
            "annotations": {RECONCILE_ANNOTATION: "x" * 5000, "coldsend.pro/paused": "maybe"},
        }
        self.cluster._update(raw | {"metadata": metadata})

    def churn(self, count: int) -> None:
        for _ in range(count):
            uid = self.tenant("churn@tenant.com", smtp={"passwordSecretRef": {"name": "missing"}})
            self.drain()
            if uid is not None:
                self.delete(uid)
            self.pass_time(1.0)

    def storm(self, uid: str, count: int) -> None:
        for turn in range(count):
            self.annotate(uid, RECONCILE_ANNOTATION, f"{self.clock()}-{turn}")
            self.drain()
            self.pass_time(1.0)

    def junk_key(self, uid: str, number: int) -> None:
        self.cluster.write_secret(TENANT, f"junk-{number}", {"apiKey": f"cs_live_junk_{number}"})
        self.move(uid, f"junk-{number}")

    # -- accidents that affect everybody

    def crash(self) -> None:
        """Kill the process; responses that it had not stored are lost."""
        self.unstored |= self._without_inbox()
        super().crash()
        if self.state_restored:  # before it has stored again what was spent
            self._forget_the_spent_budget()

    def _without_inbox(self) -> set[str]:
        """Addresses of the objects whose status shows no inbox."""
        shown = [raw for raw in self.cluster.of_kind(ACCOUNT_KIND) if not (raw.get("status") or {}).get("inboxID")]
        return {self.stories[raw["metadata"]["uid"]].address for raw in shown}

    def jump(self, *, cluster: float = 0.0, remote: float = 0.0) -> None:
        """A clock is set to another time."""
        self.jumped |= self._without_inbox()
        self.leaps += abs(cluster) + abs(remote)
        self.cluster.offset += cluster
        self.remote.offset += remote

    def snapshot(self) -> None:
        self._snapshot = (deepcopy(self.cluster.objects), deepcopy(self.cluster.config_maps), self.cluster.version)

    def restore(self) -> None:
        """The API server is restored from a backup: versions go back, and the watches begin with a new list."""
        if self._snapshot is None:
            return
        objects, config_maps, version = deepcopy(self._snapshot)
        paths = objects.keys() | self.cluster.objects.keys()
        for path in paths:
            now, then = self.cluster.objects.get(path), objects.get(path)
            if now != then:
                for raw in filter(None, (now, then)):
                    address = self.stories[raw["metadata"]["uid"]].address
                    if self.poisoned.was_lost(address):  # its mark is gone, so the operator cannot know of the create
                        self.watch.loose.add(address)
                    self.restored.add(address)
                    self.stories[raw["metadata"]["uid"]].ready_may_go = True
        self.cluster.objects, self.cluster.config_maps, self.cluster.version = objects, config_maps, version
        self.state_restored = True
        if self.process is None or not self.process.operator._leading:
            self._forget_the_spent_budget()
        self.cluster.history += [WatchEvent("LISTED", raw) for raw in objects.values()]

    def _forget_the_spent_budget(self) -> None:
        """Nobody knows of it any more: ColdSend answers 429."""
        self.state_restored = False
        for remote in (self.remote, self.elsewhere):
            remote.arrivals.clear()

    # -- what must hold

    def check(self) -> None:
        super().check()
        if not self._knows_both_keys():
            self.contested |= self.second
        found = [
            f"{raw['metadata']['name']} took {inbox.inbox_id}, which a person made"
            for raw in self.cluster.of_kind(ACCOUNT_KIND)
            for inbox in [*self.remote.inboxes.values(), *self.elsewhere.inboxes.values()]
            if inbox.by_hand and raw["metadata"]["namespace"] == TENANT and holds(raw, inbox.inbox_id)
            if not self._looks_like_ours(inbox)
        ]
        for remote, names in ((self.remote, {"", "second"}), (self.elsewhere, {OWN})):
            found += [
                f"{inbox.address} was made in a workspace that no spec named"
                for inbox in remote.inboxes.values()
                if not inbox.by_hand and not self.watch.keys.get(address_key(inbox.address), set()) & names
            ]
            found += [f"burst: {burst}" for burst in remote.bursts]
        if found:
            raise AssertionError("; ".join(dict.fromkeys(found)))

    def _looks_like_ours(self, inbox: Inbox) -> bool:
        """Whether a person created it while the outcome of our create of the same inbox was unknown (rule 6).

        It is unknown from the mark on: after a crash nobody can tell whether the call left (rule 4). A mark that is
        put back while the operator is down says so of that create again (docs/security/tenants.md).
        """
        left_at = self.remote.unanswered.get(address_key(inbox.address))
        lefts = [*self.marked_again.get(inbox.address, ()), *self.beside_marks.get(inbox.inbox_id, ())]
        lefts += [] if left_at is None else [left_at]
        slack = SLACK + self.leaps
        return any(left - slack <= inbox.made_at < left + LATEST + slack for left in lefts)

    def finish(self) -> None:
        """Everybody else gets what they asked for in time, even if nobody corrects the tenant's objects."""
        if self.process is None:
            self.start()
        self._make_peace()
        fresh = self.victim()
        until = self.clock() + BOUND
        self.wait(1.0)
        while wrongs := self.wrong_for_victims():
            if self.clock() >= until:
                raise AssertionError("it never becomes right for others: " + "; ".join(wrongs))
            self.wait(self._next_stride())
            self.check()
        assert fresh in self.victims

    def wrong_for_victims(self) -> list[str]:
        found = []
        for raw in self.cluster.of_kind(ACCOUNT_KIND):
            metadata = raw["metadata"]
            address = self.stories[metadata["uid"]].address
            if metadata["namespace"] != VICTIMS:
                continue
            if "deletionTimestamp" in metadata:
                found.append(f"{metadata['name']} is still there: {ready_of(raw)}")
                continue
            if address in self.contested:
                continue
            if address in self.restored and ready_of(raw)[1] in NO_HISTORY:
                continue
            # Clocks decide for lost answers (rule 6): the inbox of such a create may look older than its mark.
            if address in self.jumped and (self.poisoned.was_lost(address) or address in self.unstored):
                continue
            live = self.remote.at(address)
            if len(live) != 1 or not holds(raw, live[0].inbox_id) or ready_of(raw)[0] != "True":
                found.append(f"{metadata['name']} is not Ready with its one inbox ({len(live)}): {ready_of(raw)}")
        return found


def _marks(raw: Raw) -> list[str]:
    """Its create marks, without forged ones."""
    finalizers = raw["metadata"].get("finalizers") or ()
    return [name for name in finalizers if create_marks.is_mark(name) and not name.endswith(FORGED)]
