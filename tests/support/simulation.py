"""A simulation of the operator, a cluster and ColdSend, with crashes at any step, and its invariants.

`Simulation` offers what people, networks and time can do to the operator (apply, edit, delete, faults, `step`, `wait`,
`crash`, `take_over`), watches the rules while it goes on (`violations`), and says at the end what is not
as the objects ask (`wrong`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from coldsend_operator.core.model.calls import BULK
from coldsend_operator.core.plan import make_plan
from coldsend_operator.resources.names import (
    ACCOUNT_KIND,
    APPROVE_DELETION_ANNOTATION,
    APPROVE_RECREATION_ANNOTATION,
    BATCH_KIND,
    FORCE_ORPHAN_ANNOTATION,
    HAND_OVER_ANNOTATION,
)
from coldsend_operator.settings import Settings
from tests.support.clients import Pending
from tests.support.clock import FakeClock
from tests.support.cluster import NAMESPACES, FakeCluster, Raw, path_of
from tests.support.ending import wrong
from tests.support.process import API_KEY, Process, cluster, settings
from tests.support.remote import DOMAIN, FakeColdSend, Fault
from tests.support.stories import Listing, Stories, Story, ready_of

RESTLESS = 3000  # maximum number of steps at one instant: more are an endless loop
PATIENCE = 9 * 3600.0  # simulated seconds until everything must be as requested
STRIDE = 60.0
SECRET = "mail"
SECOND = "second"  # a Secret with another key of the same workspace
SECOND_KEY = "cs_live_second"


@dataclass
class Simulation:
    """`per_minute` and `per_hour`: ColdSend's limits, without reserve. `brake`: as COLDSEND_DELETE_BRAKE."""

    lag: float = 0.0
    page_size: int = 100
    per_minute: int = 60
    per_hour: int = 600
    brake: str = "50%"
    item_seconds: float = 0.0
    bulk: int = BULK  # accounts of a bulk create: small ones make floods of a few accounts
    cluster_offset: float = -1.5
    remote_offset: float = 2.5
    clock: FakeClock = field(default_factory=FakeClock)
    changes: dict[str, Any] = field(default_factory=dict)  # further settings
    guards_crds: bool = False  # whether processes check the CRDs, as the real operator does

    def __post_init__(self) -> None:
        self.cluster: FakeCluster = cluster(self.clock, self.cluster_offset)
        for namespace in NAMESPACES:
            self.cluster.write_secret(namespace, SECRET, {"password": "one"})
        self.remote = FakeColdSend(
            self.clock,
            per_minute=self.per_minute,
            per_hour=self.per_hour,
            page_size=self.page_size,
            lag=self.lag,
            offset=self.remote_offset,
            item_seconds=self.item_seconds,
        )
        self.settings: Settings = settings(
            requests_per_minute=self.per_minute,
            requests_per_hour=self.per_hour,
            delete_brake=self.brake,
            **self.changes,
        )
        self.remotes: dict[str, FakeColdSend] = {API_KEY: self.remote, SECOND_KEY: self.remote}  # by key
        for namespace in NAMESPACES:
            self.give_second_key(namespace)
        self.watch = Stories(self.cluster, self.remote)
        self.cluster.on_status, self.cluster.on_stored = self.watch.status_written, self.watch.stored
        self.cluster.on_end_asked = self.watch.end_asked
        self.process: Process | None = None
        self.standby: Process | None = None
        self.ended: list[Process] = []  # kept, so that Python does not finalize their coroutines

    # -- what people see

    def raw(self, uid: str) -> Raw:
        """The object, which must be there, as the API server shows it."""
        raw = self.cluster.find(uid)
        assert raw is not None, f"{uid} is gone"
        return raw

    def status(self, uid: str) -> Raw:
        status: Raw = self.raw(uid).get("status") or {}
        return status

    def says(self, uid: str) -> dict[str, tuple[str, str, str]]:
        """Status, reason and message of each condition."""
        return {
            each["type"]: (each["status"], each["reason"], each["message"])
            for each in self.status(uid).get("conditions") or ()
        }

    def ready(self, uid: str) -> tuple[str, str, str]:
        """Status, reason and message of the condition Ready."""
        return ready_of(self.raw(uid))

    # -- what people do

    def apply(self, namespace: str, name: str, address: str, **fields: Any) -> str:
        """`kubectl apply` of a new object. Returns its UID; "" if the name exists."""
        if any((story.namespace, story.name) == (namespace, name) for story in self._existing.values()):
            return ""
        uid: str = self.cluster.create(namespace, name, spec_of(address, **fields))["metadata"]["uid"]
        return uid

    def edit(self, uid: str, **fields: Any) -> None:
        if uid not in self._existing:
            return
        if "dailyLimit" in fields and self.stories[uid].address.endswith(DOMAIN.domain_name):
            return  # the CRD refuses a limit for native inboxes
        self.cluster.change_spec(uid, **fields)

    def annotate(self, uid: str, name: str, value: str | None) -> None:
        if uid in self._existing:
            self.cluster.annotate(uid, name, value)

    def delete(self, uid: str) -> None:
        if uid in self._existing:
            self.watch.ended(uid)
            self.cluster.delete(uid)

    def rename(self, uid: str, name: str, *, delete_first: bool = False) -> None:
        """The same object under another name, as after a rename in Git."""
        if uid not in self._existing:
            return
        story, spec = self.stories[uid], self.raw(uid)["spec"]
        if delete_first:
            self.delete(uid)
        if any((each.namespace, each.name) == (story.namespace, name) for each in self._existing.values()):
            return
        self.cluster.create(story.namespace, name, spec)
        if not delete_first:
            self.delete(uid)

    def rotate(self, namespace: str, password: str) -> None:
        self.cluster.write_secret(namespace, SECRET, {"password": password})
        self.watch.rotated(namespace)

    def add_workspace(self, key: str, namespace: str, name: str = "key", **remote: Any) -> FakeColdSend:
        """Another workspace of ColdSend, whose API key stands in a Secret of this name."""
        self.remotes[key] = FakeColdSend(self.clock, **remote)
        self.cluster.write_secret(namespace, name, {"apiKey": key})
        return self.remotes[key]

    def take_password(self, namespace: str) -> None:
        """The Secret is deleted, as when a namespace is deleted: before the accounts."""
        self.cluster.write_secret(namespace, SECRET, None)

    def give_second_key(self, namespace: str, *, there: bool = True) -> None:
        self.cluster.write_secret(namespace, SECOND, {"apiKey": SECOND_KEY} if there else None)

    def wipe_finalizers(self, uid: str) -> None:
        """`kubectl replace` while the operator runs, which then has time to set the mark again."""
        if self.process is None or not self.process.operator._leading:
            return  # no process can set the mark again
        self.drain()
        if uid not in self._existing or "deletionTimestamp" in self.raw(uid)["metadata"]:
            return
        if not (self.raw(uid).get("status") or {}).get("inboxID"):
            self.watch.loose.add(self.stories[uid].address)  # after a crash nobody knows when a lost create was sent
        self.process.traffic.cluster_faults.clear()
        self.process.leadership.renewed = True
        self.cluster.wipe_finalizers(uid)
        self.drain()

    @property
    def uids(self) -> list[str]:
        return list(self._existing)

    def list_in_batch(self, namespace: str, name: str, addresses: Sequence[str], **template: Any) -> None:
        """`kubectl apply` of a batch with this list and the same template."""
        path = path_of(namespace, name, BATCH_KIND)
        raw = self.cluster.objects.get(path)
        if raw is None:
            spec = {"template": template_of(**template), "inboxes": inboxes_of(addresses), "maxUnavailable": 1}
            uid = self.cluster.create(namespace, name, spec, BATCH_KIND)["metadata"]["uid"]
            left = self._left_behind(namespace, name) - set(addresses)
            self.watch.batches[uid] = Listing(namespace, name, unlisted=left)
        else:
            uid, template = raw["metadata"]["uid"], raw["spec"]["template"] | template
            self.cluster.change_spec(uid, template=template, inboxes=inboxes_of(addresses))
        self.watch.listed(uid, self.watch.batches[uid], addresses, template)

    def _left_behind(self, namespace: str, name: str) -> set[str]:
        """The requests of deleted batches of this name, whose remaining children the new one takes over."""
        former = [each for each in self.watch.batches.values() if (each.namespace, each.name) == (namespace, name)]
        return {address for each in former if each.deleted for address in each.addresses | each.unlisted}

    def change_template(self, uid: str, **template: Any) -> None:
        if self.cluster.find(uid) is None:
            return
        listing = self.watch.batches[uid]
        self.list_in_batch(listing.namespace, listing.name, sorted(listing.addresses), **template)

    def rename_batch(self, uid: str, name: str) -> None:
        raw, listing = self.cluster.find(uid), self.watch.batches[uid]
        if raw is None or "deletionTimestamp" in raw["metadata"] or listing.name == name:
            return
        self.list_in_batch(listing.namespace, name, sorted(listing.addresses), **raw["spec"]["template"])
        self.delete_batch(uid)

    def move_into_batch(self, uid: str, name: str) -> None:
        """A single account becomes an entry of a batch."""
        if uid not in self._existing or self.stories[uid].address.endswith(DOMAIN.domain_name):
            return
        story = self.stories[uid]
        self.list_in_batch(story.namespace, name, sorted({*self._listed(story.namespace, name), story.address}))
        self.delete(uid)

    def move_out_of_batch(self, uid: str, address: str, name: str) -> None:
        """An entry of a batch becomes a single account."""
        listing = self.watch.batches[uid]
        if self.cluster.find(uid) is None or address not in listing.addresses:
            return
        self.apply(listing.namespace, name, address)
        self.list_in_batch(listing.namespace, listing.name, sorted(listing.addresses - {address}))

    def _listed(self, namespace: str, name: str) -> set[str]:
        raw = self.cluster.objects.get(path_of(namespace, name, BATCH_KIND))
        return self.watch.batches[raw["metadata"]["uid"]].addresses if raw is not None else set()

    def delete_batch(self, uid: str, *, keep_children: bool = False) -> None:
        listing = self.watch.batches[uid]
        listing.deleted = True
        if keep_children:
            self.watch.loose |= listing.addresses | listing.unlisted
        self.cluster.delete(uid, *(["orphan"] if keep_children else []))

    def replace_batch(self, uid: str) -> None:
        """`kubectl replace --force`: the same batch under another UID, at once."""
        raw = self.cluster.find(uid)
        if raw is None or "deletionTimestamp" in raw["metadata"]:
            return
        old = self.watch.batches[uid]
        old.deleted = True
        self.cluster.wipe_finalizers(uid)
        self.cluster.delete(uid)
        new = self.cluster.create(old.namespace, old.name, raw["spec"], BATCH_KIND)["metadata"]["uid"]
        self.watch.batches[new] = Listing(old.namespace, old.name, set(old.addresses), set(old.unlisted))

    @property
    def batches(self) -> list[str]:
        return [raw["metadata"]["uid"] for raw in self.cluster.of_kind(BATCH_KIND)]

    def collect_garbage(self) -> None:
        for uid in self.cluster.collect_garbage():
            self.watch.ended(uid)

    # -- steps of the process

    def start(self) -> None:
        if self.process is None:
            self.process = self._process(leads=True)

    def stand_by(self) -> None:
        if self.standby is None:
            self.standby = self._process(leads=False)

    def crash(self) -> None:
        """SIGKILL: running calls continue on the other side, and nobody receives the responses."""
        if self.process is not None:
            self.ended.append(self.process)
            self.process = None

    def take_over(self) -> None:
        """The leader ends, and the standby gets the Lease."""
        self.crash()
        if self.standby is None:
            self.start()
        else:
            self.process, self.standby = self.standby, None
            self.process.leadership.give()
            self.process.run()

    def stop(self) -> None:
        """SIGTERM: running work ends or is recorded."""
        if self.process is None:
            return
        task = self.process.stop()
        for _ in range(RESTLESS):
            if task.done() or not self.process.traffic.movable:
                break
            self.go_on(self.process.traffic.movable[0])
        self.ended.append(self.process)
        self.process = None

    def fault(self, fault: Fault) -> None:
        if self.process is not None:
            self.process.traffic.coldsend_faults.append(fault)

    def cluster_fault(self, fault: Fault) -> None:
        if self.process is not None:
            self.process.traffic.cluster_faults.append(fault)

    def step(self, choice: int) -> None:
        """Do one of the possible next steps."""
        moves = self.moves()
        if moves:
            moves[choice % len(moves)]()

    def moves(self) -> list[Callable[[], None]]:
        moves: list[Callable[[], None]] = []
        for process in self._running:
            process.see()
            moves += [partial(process.deliver, kind) for kind, events in process.events.items() if events]
            moves += [partial(self.go_on, pending) for pending in process.traffic.movable]
        return moves

    def go_on(self, pending: Pending) -> None:
        pending.go_on()
        for process in self._running:
            process.run()

    def drain(self) -> None:
        """Do all steps that are possible now."""
        for _ in range(RESTLESS):
            moves = self.moves()
            if not moves:
                return
            for move in moves:
                move()
        raise AssertionError("it turns in circles: " + ", ".join(repr(move) for move in self.moves()))

    def pass_time(self, seconds: float) -> None:
        """Move the clock while calls are running."""
        self.clock.advance(seconds)
        self.remote.catch_up()
        for process in self._running:
            process.run()

    def wait(self, seconds: float) -> None:
        """Move the clock, and do all steps that become possible."""
        until = self.clock() + seconds
        self.drain()
        while self.clock() < until:
            self.pass_time(min(self._next_stride(), until - self.clock()))
            self.drain()

    def _next_stride(self) -> float:
        """The seconds until something is due. Periodic checks run once per stride."""
        now = self.clock()
        due = [work.at for work in self.remote.work]
        for process in self._running:
            for loop in process.loops:
                wake_at = make_plan(loop.workspace, now).wake_at if loop.keys else None
                due += [at for at in (wake_at, loop.workspace.timers.first) if at is not None]
        return min(max(min(due, default=now + STRIDE) - now, 0.25), STRIDE)

    @property
    def _running(self) -> list[Process]:
        return [process for process in (self.process, self.standby) if process is not None]

    def _process(self, *, leads: bool) -> Process:
        process = Process(
            self.settings,
            self.clock,
            self.cluster,
            self.remotes,
            leads=leads,
            on_delete=self._deletion_arrived,
            on_leaving=self._deletion_left,
            guards_crds=self.guards_crds,
        )
        process.operator.policy.bulk = self.bulk
        return process

    # -- invariants at all times

    def _deletion_left(self, process: Process, inbox_ids: Sequence[str]) -> None:
        self.watch.deletion_left(process.operator.controller.accounts, inbox_ids, process.operator.policy)

    def _deletion_arrived(self, process: Process, inbox_ids: Sequence[str]) -> None:
        self.watch.deletion_arrived(process.operator.controller.accounts, inbox_ids)

    def check(self) -> None:
        """Raises AssertionError if a rule was broken."""
        mails = [mail for mail in self.remote.mails if self.remote.mails.count(mail) > 1]
        found = [
            *self.watch.violations,
            *(f"burst: {burst}" for burst in self.remote.bursts),
            *(f"made twice: {said}" for address, said in self.remote.doubles if self.watch.binds(address)),
            *(f"mail sent twice: {mail}" for mail in mails),
        ]
        for process in [*self._running, *self.ended]:
            found += [f"trouble in the loop: {trouble}" for trouble in process.loop.troubles]
            found += [f"frozen, and yet: {write}" for write in process.traffic.frozen_writes]
            if process.failure is not None:
                found.append(f"the process ended: {process.failure!r}")
        if found:
            raise AssertionError("; ".join(dict.fromkeys(found)))

    # -- invariants in the end

    def converge(self) -> None:
        """Without further faults everything becomes as requested, and stays so."""
        if self.process is None:
            self.take_over()
        self._make_peace()
        until = self.clock() + PATIENCE
        self.wait(1.0)
        while self.wrong():
            if self.clock() >= until:
                raise AssertionError("it never becomes right: " + "; ".join(self.wrong()))
            self.collect_garbage()
            self._take_ways_out()
            self.wait(self._next_stride())
            self.check()
        self.wait(2 * self.settings.sweep_seconds)
        self.check()
        if self.wrong():
            raise AssertionError("it does not stay right: " + "; ".join(self.wrong()))

    def _take_ways_out(self) -> None:
        """Do what the message asks if a key was changed and the inbox is gone: only a person can decide (rule 15)."""
        for uid, story in self._existing.items():
            raw = self.raw(uid)
            said = {each["reason"] for each in (raw.get("status") or {}).get("conditions") or ()}
            if len(self.watch.keys[story.address]) > 1 and "InventoryImplausible" in said:
                deleting = "deletionTimestamp" in raw["metadata"]
                self.annotate(uid, FORCE_ORPHAN_ANNOTATION if deleting else APPROVE_RECREATION_ANNOTATION, "true")

    def _make_peace(self) -> None:
        for process in self._running:
            process.traffic.coldsend_faults.clear()
            process.traffic.cluster_faults.clear()
            process.leadership.renewed = True
        for inbox in self.remote.inboxes.values():
            inbox.in_use = False
            inbox.overall_status = "ACTIVE"
        for namespace in NAMESPACES:
            self.give_second_key(namespace)
            if (namespace, SECRET) not in self.cluster.secrets:
                self.rotate(namespace, "one")
            annotations = {APPROVE_DELETION_ANNOTATION: "true"}
            self.cluster.namespaces[namespace] = {"metadata": {"annotations": annotations}, "status": {}}
        for uid in self.uids:
            self.annotate(uid, "coldsend.pro/paused", None)
            self.annotate(uid, HAND_OVER_ANNOTATION, None)

    def wrong(self) -> list[str]:
        """The differences from what the objects request."""
        return wrong(self.watch)

    @property
    def stories(self) -> dict[str, Story]:
        return self.watch.by_uid

    @property
    def _existing(self) -> dict[str, Story]:
        there = {raw["metadata"]["uid"] for raw in self.cluster.of_kind(ACCOUNT_KIND)}
        return {uid: story for uid, story in self.stories.items() if uid in there}


def template_of(**fields: Any) -> Raw:
    return {"inboxType": "GOOGLE_WORKSPACE", "smtp": {"passwordSecretRef": {"name": SECRET}}, **fields}


def inboxes_of(addresses: Sequence[str]) -> list[Raw]:
    return [{"emailAddress": address, "displayName": "Jane"} for address in addresses]


def spec_of(address: str, **fields: Any) -> Raw:
    """The spec of an account; an address of the managed domain asks for a native inbox."""
    prefix, _, domain = address.partition("@")
    spec: Raw = {"displayName": "Jane", **fields}
    if domain == DOMAIN.domain_name:
        return {"inboxType": "COLDSEND", "native": {"domainName": domain, "emailPrefix": prefix}, **spec}
    smtp = {"passwordSecretRef": {"name": SECRET}}
    return {"inboxType": "GOOGLE_WORKSPACE", "emailAddress": address, "smtp": smtp, **spec}
