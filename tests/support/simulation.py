"""The operator, a cluster and ColdSend in one simulated world, with crashes at any step, and what must hold in it.

`Simulation` offers what people, networks and time can do to the operator (apply, edit, delete, faults, `step`, `wait`,
`crash`, `take_over`), watches the rules of safety.md while it goes on (`violations`), and says at the end what is not
as the objects ask (`wrong`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from coldsend_operator.core.answers import address_key
from coldsend_operator.core.planning import make_plan
from coldsend_operator.core.records import HELD_ORIGINS
from coldsend_operator.resources.names import APPROVE_DELETION_ANNOTATION, FORCE_ORPHAN_ANNOTATION
from coldsend_operator.settings import Settings
from tests.support.clock import FakeClock
from tests.support.cluster import NAMESPACES, FakeCluster, Raw
from tests.support.doors import Pending
from tests.support.process import API_KEY, Process, cluster, settings
from tests.support.remote import DOMAIN, FakeColdSend, Fault, Inbox

RESTLESS = 3000  # steps at one instant after which something turns in circles
PATIENCE = 9 * 3600.0  # simulated seconds until everything must be as the objects ask
STRIDE = 60.0
SECRET = "mail"


@dataclass
class Story:
    """What was ever asked of one object: what the operator may do for it."""

    namespace: str
    name: str
    address: str
    may_delete: bool = False  # its policy was Delete at some time
    may_adopt: bool = False
    may_recreate: bool = False  # Recreate, and something to recreate for
    recreates: bool = False
    changed: bool = False
    ready_may_go: bool = False
    deleted: bool = False


@dataclass
class Simulation:
    """`per_minute` and `per_hour` are granted and spent to the last; `brake` as COLDSEND_DELETE_BRAKE."""

    lag: float = 0.0
    page_size: int = 100
    per_minute: int = 60
    per_hour: int = 600
    brake: str = "50%"
    item_seconds: float = 0.0
    cluster_offset: float = -1.5
    remote_offset: float = 2.5
    clock: FakeClock = field(default_factory=FakeClock)
    changes: dict[str, Any] = field(default_factory=dict)  # further settings

    def __post_init__(self) -> None:
        self.cluster: FakeCluster = cluster(self.clock, self.cluster_offset)
        self.cluster.on_status = self._status_written
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
        self.remotes: dict[str, FakeColdSend] = {API_KEY: self.remote}  # by key
        self.violations: list[str] = []
        self.stories: dict[str, Story] = {}
        self.loose: set[str] = set()  # addresses whose inbox a person asked to leave alone, or not to watch
        self.process: Process | None = None
        self.standby: Process | None = None
        self.ended: list[Process] = []  # kept, so that nothing of theirs runs when Python tidies up

    # -- what people do

    def apply(self, namespace: str, name: str, address: str, **fields: Any) -> str | None:
        """`kubectl apply` of a new object; its UID, or None when the name is taken."""
        if any((story.namespace, story.name) == (namespace, name) for story in self._existing.values()):
            return None
        raw = self.cluster.create(namespace, name, spec_of(address, **fields))
        uid: str = raw["metadata"]["uid"]
        self.stories[uid] = Story(namespace, name, address_key(address))
        self._judge(uid)
        return uid

    def edit(self, uid: str, **fields: Any) -> None:
        if uid not in self._existing:
            return
        story = self.stories[uid]
        if "dailyLimit" in fields and story.address.endswith(DOMAIN.domain_name):
            return  # the CRD refuses a limit for native inboxes
        story.changed = story.changed or bool(fields.keys() & {"displayName", "dailyLimit"})
        if fields.keys() & {"managementPolicy", "adoptionPolicy"}:
            story.ready_may_go = True
            self.loose.add(story.address)
        if "displayName" in fields and not (self._raw(uid).get("status") or {}).get("inboxID"):
            self.loose.add(story.address)  # after a restart a lost create is known by its name only (safety.md, 6)
        self.cluster.change_spec(uid, **fields)
        self._judge(uid)

    def annotate(self, uid: str, name: str, value: str | None) -> None:
        if uid in self._existing:
            if name == FORCE_ORPHAN_ANNOTATION:
                self.loose.add(self.stories[uid].address)
            self.cluster.annotate(uid, name, value)

    def delete(self, uid: str) -> None:
        if uid in self._existing:
            self.stories[uid].deleted = True
            self._judge(uid)
            self.cluster.delete(uid)

    def rotate(self, namespace: str, password: str) -> None:
        self.cluster.write_secret(namespace, SECRET, {"password": password})
        for uid, story in self.stories.items():
            if story.namespace == namespace:
                story.changed = True
                if uid in self._existing:
                    self._judge(uid)

    def wipe_finalizers(self, uid: str) -> None:
        """`kubectl replace` while the operator runs; it has the time to put the mark back."""
        self.drain()
        if uid not in self._existing or self.process is None or "deletionTimestamp" in self._raw(uid)["metadata"]:
            return
        if not (self._raw(uid).get("status") or {}).get("inboxID"):
            self.loose.add(self.stories[uid].address)  # a crash right after hides when a lost create had left
        self.process.traffic.cluster_faults.clear()
        self.process.leadership.renewed = True
        self.cluster.wipe_finalizers(uid)
        self.drain()

    @property
    def uids(self) -> list[str]:
        return list(self._existing)

    # -- what the process does, step by step

    def start(self) -> None:
        if self.process is None:
            self.process = self._process(leads=True)

    def stand_by(self) -> None:
        if self.standby is None:
            self.standby = self._process(leads=False)

    def crash(self) -> None:
        """SIGKILL: what was under way stays as it is on the other side, and nobody hears of it."""
        if self.process is not None:
            self.ended.append(self.process)
            self.process = None

    def take_over(self) -> None:
        """The leader is gone, the standby gets the Lease."""
        self.crash()
        if self.standby is None:
            self.start()
        else:
            self.process, self.standby = self.standby, None
            self.process.leadership.give()
            self.process.run()

    def stop(self) -> None:
        """SIGTERM: what is under way is ended or recorded."""
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
        """Do one of the things that could happen next."""
        moves = self.moves()
        if moves:
            moves[choice % len(moves)]()

    def moves(self) -> list[Callable[[], None]]:
        moves: list[Callable[[], None]] = []
        for process in self._running:
            process.see()
            if process.events:
                moves.append(process.deliver)
            moves += [partial(self.go_on, pending) for pending in process.traffic.movable]
        return moves

    def go_on(self, pending: Pending) -> None:
        pending.go_on()
        for process in self._running:
            process.run()

    def drain(self) -> None:
        """Let everything happen that can happen now."""
        for _ in range(RESTLESS):
            moves = self.moves()
            if not moves:
                return
            for move in moves:
                move()
        raise AssertionError("it turns in circles: " + ", ".join(repr(move) for move in self.moves()))

    def pass_time(self, seconds: float) -> None:
        """Time goes by while calls are under way."""
        self.clock.advance(seconds)
        self.remote.catch_up()
        for process in self._running:
            process.run()

    def wait(self, seconds: float) -> None:
        """Time goes by, and everything happens that can happen in it."""
        until = self.clock() + seconds
        self.drain()
        while self.clock() < until:
            self.pass_time(min(self._next_stride(), until - self.clock()))
            self.drain()

    def _next_stride(self) -> float:
        """Until something is due. Loops that only look around now and then run once in a stride."""
        now = self.clock()
        due = [work.at for work in self.remote.work]
        for process in self._running:
            for runner in process.runners:
                wake_at = make_plan(runner.ledger, now).wake_at if runner.client is not None else None
                due += [at for at in (wake_at, *(at for at, _ in runner.ledger.timers[:1])) if at is not None]
        return min(max(min(due, default=now + STRIDE) - now, 0.25), STRIDE)

    @property
    def _running(self) -> list[Process]:
        return [process for process in (self.process, self.standby) if process is not None]

    def _process(self, *, leads: bool) -> Process:
        return Process(
            self.settings, self.clock, self.cluster, self.remotes, leads=leads, on_delete=self._deletion_arrived
        )

    # -- what must hold at all times

    def _judge(self, uid: str) -> None:
        spec = self._raw(uid)["spec"]
        story = self.stories[uid]
        observes = spec.get("managementPolicy") == "Observe"
        orphans = spec.get("deletionPolicy") == "Orphan"
        if observes or (orphans and story.deleted):
            self.loose.add(story.address)
        story.may_delete = story.may_delete or not (orphans or observes)
        story.may_adopt = story.may_adopt or spec.get("adoptionPolicy") == "Adopt"
        story.recreates = story.recreates or spec.get("updatePolicy") == "Recreate"

    def _deletion_arrived(self, process: Process, inbox_ids: Sequence[str]) -> None:
        accounts = process.operator.registry.accounts
        for inbox_id in inbox_ids:
            inbox = self.remote.inboxes[inbox_id]
            holders = [
                uid for uid, account in accounts.items() if account.facts.held and account.facts.inbox_id == inbox_id
            ]
            if len(holders) != 1:
                self.violations.append(f"{inbox_id} is deleted, held by {holders}")
            for uid in holders:
                self._judge_deletion(self.stories[uid], inbox, uid)

    def _judge_deletion(self, story: Story, inbox: Inbox, uid: str) -> None:
        if inbox.address != story.address:
            self.violations.append(f"{uid} of {story.address} deletes {inbox.inbox_id} of {inbox.address}")
        if inbox.by_hand and not story.may_adopt:
            self.violations.append(f"{uid} deletes {inbox.inbox_id}, made by hand and never to be adopted")
        asked = (story.deleted and story.may_delete) or (story.recreates and story.changed)
        if not asked:
            self.violations.append(f"{uid} deletes {inbox.inbox_id}, and nobody asked for that")

    def _status_written(self, before: Raw, after: Raw) -> None:
        uid = after["metadata"]["uid"]
        was, is_now = ready_of(before), ready_of(after)
        story = self.stories[uid]
        inbox = self.remote.inboxes.get((before.get("status") or {}).get("inboxID", ""))
        excused = (
            "deletionTimestamp" in after["metadata"]
            or story.ready_may_go
            or inbox is None
            or inbox.gone_at is not None
            or inbox.overall_status != "ACTIVE"
            or (story.recreates and story.changed)
        )
        if was[0] == "True" and is_now[0] != "True" and not excused:
            self.violations.append(f"{uid} loses Ready for no reason: {is_now}")

    def excuse(self, inbox: Inbox) -> None:
        """ColdSend shows the inbox as not ACTIVE for a while: its object may say so, also when that has passed."""
        for story in self.stories.values():
            story.ready_may_go = story.ready_may_go or story.address == address_key(inbox.address)

    def check(self) -> None:
        """Raise when a rule was broken."""
        mails = [mail for mail in self.remote.mails if self.remote.mails.count(mail) > 1]
        found = [
            *self.violations,
            *(f"burst: {burst}" for burst in self.remote.bursts),
            *(f"made twice: {said}" for address, said in self.remote.doubles if address not in self.loose),
            *(f"mail sent twice: {mail}" for mail in mails),
        ]
        for process in [*self._running, *self.ended]:
            found += [f"trouble in the loop: {trouble}" for trouble in process.loop.troubles]
            if process.failure is not None:
                found.append(f"the process ended: {process.failure!r}")
        if found:
            raise AssertionError("; ".join(dict.fromkeys(found)))

    # -- what must hold in the end

    def converge(self) -> None:
        """No more faults: after some time everything is as the objects ask, and stays so."""
        if self.process is None:
            self.take_over()
        self._make_peace()
        until = self.clock() + PATIENCE
        self.wait(1.0)
        while self.wrong():
            if self.clock() >= until:
                raise AssertionError("it never becomes right: " + "; ".join(self.wrong()))
            self.wait(self._next_stride())
            self.check()
        self.wait(2 * self.settings.sweep_seconds)
        self.check()
        if self.wrong():
            raise AssertionError("it does not stay right: " + "; ".join(self.wrong()))

    def _make_peace(self) -> None:
        for process in self._running:
            process.traffic.coldsend_faults.clear()
            process.traffic.cluster_faults.clear()
            process.leadership.renewed = True
        for inbox in self.remote.inboxes.values():
            inbox.in_use = False
            inbox.overall_status = "ACTIVE"
        for namespace in NAMESPACES:
            annotations = {APPROVE_DELETION_ANNOTATION: "true"}
            self.cluster.namespaces[namespace] = {"metadata": {"annotations": annotations}, "status": {}}
        for uid in self.uids:
            self.annotate(uid, "coldsend.pro/paused", None)

    def wrong(self) -> list[str]:
        """What is not as the objects ask."""
        found = [f"{raw['metadata']['name']} is still there" for raw in self._objects(deleting=True)]
        groups: dict[str, list[Raw]] = {}
        for raw in self._objects(deleting=False):
            if raw["spec"].get("managementPolicy") != "Observe":
                groups.setdefault(self.stories[raw["metadata"]["uid"]].address, []).append(raw)
        for address, members in groups.items():
            found += self._wrong_at(address, members)
        for inbox in self.remote.live():
            address = address_key(inbox.address)
            if not inbox.by_hand and address not in self.loose and address not in groups:
                found.append(f"{inbox.inbox_id} of {address} has no object")
        return found

    def _wrong_at(self, address: str, members: list[Raw]) -> list[str]:
        live = self.remote.at(address)
        if len(live) != 1:
            return [f"{address} has {len(live)} inboxes; {[ready_of(raw) for raw in members]}"]
        inbox = live[0]
        holders = [raw for raw in members if holds(raw, inbox.inbox_id)]
        adopters = [raw for raw in members if raw["spec"].get("adoptionPolicy") == "Adopt"]
        if not holders and (inbox.by_hand or address in self.loose) and len(adopters) < len(members):
            return []
        if len(holders) != 1:
            return [f"{inbox.inbox_id} of {address} has {len(holders)} holders; {[ready_of(raw) for raw in members]}"]
        ready = ready_of(holders[0])
        return [] if ready[0] == "True" else [f"{address} is not Ready: {ready}"]

    def _objects(self, *, deleting: bool) -> list[Raw]:
        return [raw for raw in self.cluster.objects.values() if ("deletionTimestamp" in raw["metadata"]) == deleting]

    @property
    def _existing(self) -> dict[str, Story]:
        there = {raw["metadata"]["uid"] for raw in self.cluster.objects.values()}
        return {uid: story for uid, story in self.stories.items() if uid in there}

    def _raw(self, uid: str) -> Raw:
        raw = self.cluster.find(uid)
        assert raw is not None
        return raw


def spec_of(address: str, **fields: Any) -> Raw:
    """The spec of an account; an address of the managed domain asks for a native inbox."""
    prefix, _, domain = address.partition("@")
    spec: Raw = {"displayName": "Jane", **fields}
    if domain == DOMAIN.domain_name:
        return {"inboxType": "COLDSEND", "native": {"domainName": domain, "emailPrefix": prefix}, **spec}
    smtp = {"passwordSecretRef": {"name": SECRET}}
    return {"inboxType": "GOOGLE_WORKSPACE", "emailAddress": address, "smtp": smtp, **spec}


def ready_of(raw: Raw) -> tuple[str, str, str]:
    for condition in (raw.get("status") or {}).get("conditions", ()):
        if condition["type"] == "Ready":
            return condition["status"], condition["reason"], condition["message"]
    return ("", "", "")


def holds(raw: Raw, inbox_id: str) -> bool:
    status = raw.get("status") or {}
    return status.get("inboxID") == inbox_id and status.get("origin") in HELD_ORIGINS
