"""The whole operator against models of Kubernetes and ColdSend: any schedule of people, faults, crashes and time.

What docs/contributing/rules.md sums up at its beginning is watched while it goes on; in the end faults cease, and
everything must become as the objects ask. `HYPOTHESIS_PROFILE=deep` looks much longer (conftest.py).
"""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from coldsend_operator.resources.names import (
    ACCOUNT_KIND,
    APPROVE_DELETION_ANNOTATION,
    BATCH_KIND,
    CREDENTIALS_CURRENT_ANNOTATION,
    FORCE_ORPHAN_ANNOTATION,
    HAND_OVER_ANNOTATION,
    PAUSED_ANNOTATION,
    RECONCILE_ANNOTATION,
)
from tests.core.conftest import profile, rules_about, small
from tests.support.cluster import NAMESPACES
from tests.support.portions import FLEET, Portions
from tests.support.remote import Fault
from tests.support.rough import DEFAULTS, RoughWorld
from tests.support.simulation import SECOND, Simulation

pytestmark = pytest.mark.timeout(1800)  # to make a failing example small takes minutes

NATIVE = "n@mail.example.com"
ADDRESSES = ("a@company.com", "b@company.com", "c@company.com", NATIVE)
NAMES = ("one", "two", "three")
POOL = tuple(f"p{number}@pool.com" for number in range(4))

policies = st.fixed_dictionaries(
    {},
    optional={
        "adoptionPolicy": st.just("Adopt"),
        "deletionPolicy": st.just("Orphan"),
        "updatePolicy": st.just("Recreate"),
        "managementPolicy": st.just("Observe"),
    },
)
edits = st.sampled_from(
    [
        {"displayName": "Joe"},
        {"displayName": "Jane"},
        {"dailyLimit": 50},
        {"deletionPolicy": "Orphan"},
        {"deletionPolicy": "Delete"},
        {"updatePolicy": "Recreate"},
        {"adoptionPolicy": "Adopt"},
        {"managementPolicy": "Observe"},
        {"managementPolicy": "Full"},
    ]
)
templates = st.sampled_from(
    [
        {},
        {},
        {"dailyLimit": 40},
        {"dailyLimit": 50},
        {"updatePolicy": "Recreate"},
        {"updatePolicy": "Recreate", "dailyLimit": 60},
        {"deletionPolicy": "Orphan"},
        {"deletionPolicy": "Delete"},
        {"adoptionPolicy": "Adopt"},
    ]
)
annotations = st.sampled_from(
    [
        (PAUSED_ANNOTATION, "true"),
        (PAUSED_ANNOTATION, None),
        (RECONCILE_ANNOTATION, "1"),
        (RECONCILE_ANNOTATION, "2"),
        (CREDENTIALS_CURRENT_ANNOTATION, "1"),
        (FORCE_ORPHAN_ANNOTATION, "true"),
        (APPROVE_DELETION_ANNOTATION, "true"),
    ]
)


with_an_object = rules_about(lambda self: self.simulation.uids)
with_a_batch = rules_about(lambda self: self.simulation.batches)


class Schedule(RuleBasedStateMachine):
    """A simulation in single steps, with the rules that always hold."""

    simulation: Simulation

    @rule(choices=st.lists(st.integers(0, 99), min_size=1, max_size=25), pause=st.sampled_from([0.0, 0.0, 0.05, 5.0]))
    def go_on_step_by_step(self, choices: list[int], pause: float) -> None:
        for choice in choices:
            self.simulation.step(choice)
        self.simulation.pass_time(pause)

    @invariant()
    def no_rule_is_broken(self) -> None:
        self.simulation.check()


class AnySchedule(Schedule):
    """What may happen, in any order."""

    world: type[Simulation] = Simulation

    @initialize(
        lag=st.sampled_from([0.0, 3.0]),
        page_size=st.sampled_from([2, 100]),
        windows=st.sampled_from([(60, 600), (12, 150)]),
        brake=st.sampled_from(["50%", "2"]),
        item_seconds=st.sampled_from([0.0, 1.0, 20.0]),
        bulk=st.sampled_from([2, 100]),
    )
    def begin(
        self, lag: float, page_size: int, windows: tuple[int, int], brake: str, item_seconds: float, bulk: int
    ) -> None:
        self.simulation = self.world(
            lag=lag,
            page_size=page_size,
            per_minute=windows[0],
            per_hour=windows[1],
            brake=brake,
            item_seconds=item_seconds,
            bulk=bulk,
        )
        self.simulation.start()
        self.mails = 0

    # -- people

    @rule(
        address=st.sampled_from(ADDRESSES),
        namespace=st.sampled_from(NAMESPACES),
        name=st.sampled_from(NAMES),
        fields=policies,
        count=st.sampled_from([1, 1, 3]),
    )
    def apply(self, address: str, namespace: str, name: str, fields: dict[str, str], count: int) -> None:
        for index in range(count):
            another = ADDRESSES[(ADDRESSES.index(address) + index) % len(ADDRESSES)]
            self.simulation.apply(namespace, f"{name}-{index}", another, **fields)

    @with_an_object()
    def delete(self, which: int) -> None:
        self.simulation.delete(self._uid(which))

    @with_an_object(name=st.sampled_from(("other", "another")), delete_first=st.booleans())
    def rename(self, which: int, name: str, delete_first: bool) -> None:
        self.simulation.rename(self._uid(which), name, delete_first=delete_first)

    @with_an_object(to=small, crosses=st.booleans())
    def hand_over(self, which: int, to: int, crosses: bool) -> None:
        target = self.simulation.stories[self._uid(to)]
        namespace = "elsewhere" if crosses else target.namespace
        self.simulation.annotate(self._uid(which), HAND_OVER_ANNOTATION, f"{namespace}/{target.name}")

    @rule(namespace=st.sampled_from(NAMESPACES))
    def delete_all_of_a_namespace(self, namespace: str) -> None:
        for uid in self.simulation.uids:
            if self.simulation.stories[uid].namespace == namespace:
                self.simulation.delete(uid)

    @with_an_object(fields=edits)
    def edit(self, which: int, fields: dict[str, str]) -> None:
        self.simulation.edit(self._uid(which), **fields)

    @with_an_object()
    def ask_for_a_test_mail(self, which: int) -> None:
        self.mails += 1
        mail = {"recipient": f"{self.mails}@example.com", "requestID": str(self.mails)}
        self.simulation.edit(self._uid(which), testEmail=mail)

    @with_an_object(annotation=annotations)
    def annotate(self, which: int, annotation: tuple[str, str | None]) -> None:
        self.simulation.annotate(self._uid(which), *annotation)

    @with_an_object()
    def replace_without_finalizers(self, which: int) -> None:
        self.simulation.wipe_finalizers(self._uid(which))

    @rule(namespace=st.sampled_from(NAMESPACES), password=st.sampled_from(["one", "two"]))
    def rotate(self, namespace: str, password: str) -> None:
        self.simulation.rotate(namespace, password)

    @rule(namespace=st.sampled_from(NAMESPACES), terminating=st.booleans())
    def take_the_password_away(self, namespace: str, terminating: bool) -> None:
        self.simulation.take_password(namespace)
        if terminating:
            self.simulation.cluster.terminate(namespace)
            self.delete_all_of_a_namespace(namespace)

    @rule(address=st.sampled_from(ADDRESSES))
    def make_by_hand(self, address: str) -> None:
        if not self.simulation.remote.at(address):
            self.simulation.remote.make_by_hand(address, "COLDSEND" if address == NATIVE else "GOOGLE_WORKSPACE")

    @rule(which=small, what=st.sampled_from(["delete", "campaign", "pause"]))
    def touch_in_coldsend(self, which: int, what: str) -> None:
        inboxes = list(self.simulation.remote.live())
        if not inboxes:
            return
        inbox = inboxes[which % len(inboxes)]
        if what == "delete":
            self.simulation.remote.delete_by_hand(inbox.inbox_id)
        elif what == "campaign":
            inbox.in_use = not inbox.in_use
        else:
            inbox.overall_status = "PAUSED" if inbox.overall_status == "ACTIVE" else "ACTIVE"
            self.simulation.watch.excuse(inbox)

    # -- the world

    @rule(fault=st.sampled_from(Fault))
    def coldsend_fails(self, fault: Fault) -> None:
        self.simulation.fault(fault)

    @rule(fault=st.sampled_from([Fault.LOST_BEFORE, Fault.LOST_AFTER]))
    def cluster_fails(self, fault: Fault) -> None:
        self.simulation.cluster_fault(fault)

    @rule(downtime=st.sampled_from([0.0, 1.0, 50.0, 200.0]))
    def crash(self, downtime: float) -> None:
        self.simulation.crash()
        self.simulation.pass_time(downtime)
        self.simulation.start()

    @rule()
    def stand_by(self) -> None:
        self.simulation.stand_by()

    @rule()
    def take_over(self) -> None:
        self.simulation.take_over()

    @rule()
    def stop_and_start(self) -> None:
        self.simulation.stop()
        self.simulation.start()

    @rule(fresh=st.booleans())
    def renew_the_lease_or_not(self, fresh: bool) -> None:
        if self.simulation.process is not None:
            self.simulation.process.leadership.renewed = fresh

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0, 10.0, 40.0, 125.0, 310.0]))
    def wait(self, seconds: float) -> None:
        self.simulation.wait(seconds)

    def teardown(self) -> None:
        if hasattr(self, "simulation"):
            self.simulation.converge()

    def _uid(self, which: int) -> str:
        uids = self.simulation.uids
        return uids[which % len(uids)]


class AnyScheduleWithBatches(AnySchedule):
    """The same, and what people and Kubernetes do with batches."""

    @rule(
        namespace=st.sampled_from(NAMESPACES),
        name=st.sampled_from(("pool", "tub")),
        addresses=st.lists(st.sampled_from(POOL), unique=True, max_size=len(POOL)),
        template=templates,
    )
    def list_in_batch(self, namespace: str, name: str, addresses: list[str], template: dict[str, Any]) -> None:
        self.simulation.list_in_batch(namespace, name, addresses, **template)

    @with_a_batch(template=templates)
    def change_the_template(self, which: int, template: dict[str, Any]) -> None:
        self.simulation.change_template(self._batch(which), **template)

    @with_a_batch(limit=st.integers(1, 9), seconds=st.sampled_from([1.0, 30.0]))
    def replace_all_inboxes(self, which: int, limit: int, seconds: float) -> None:
        uid = self._batch(which)
        self.simulation.wait(seconds)
        self.simulation.change_template(uid, updatePolicy="Recreate", dailyLimit=limit)
        self.simulation.wait(1.0)

    @with_a_batch(keep_children=st.booleans())
    def delete_batch(self, which: int, keep_children: bool) -> None:
        self.simulation.delete_batch(self._batch(which), keep_children=keep_children)

    @with_a_batch(name=st.sampled_from(("pool", "tub")))
    def rename_batch(self, which: int, name: str) -> None:
        self.simulation.rename_batch(self._batch(which), name)

    @with_an_object(name=st.sampled_from(("pool", "tub")))
    def move_into_batch(self, which: int, name: str) -> None:
        self.simulation.move_into_batch(self._uid(which), name)

    @with_a_batch(address=st.sampled_from(POOL))
    def move_out_of_batch(self, which: int, address: str) -> None:
        self.simulation.move_out_of_batch(self._batch(which), address, "single")

    @with_a_batch()
    def replace_batch_by_force(self, which: int) -> None:
        self.simulation.replace_batch(self._batch(which))

    @rule()
    def collect_garbage(self) -> None:
        self.simulation.collect_garbage()

    def _batch(self, which: int) -> str:
        batches = self.simulation.batches
        return batches[which % len(batches)]


class AnyScheduleWithTwoKeys(AnySchedule):
    """The same, with two keys of one workspace, one of which comes and goes."""

    @rule(address=st.sampled_from(ADDRESSES), namespace=st.sampled_from(NAMESPACES), fields=policies)
    def apply_with_the_second_key(self, address: str, namespace: str, fields: dict[str, str]) -> None:
        self.simulation.apply(namespace, "keyed", address, apiKeySecretRef={"name": SECOND}, **fields)

    @with_an_object(second=st.booleans())
    def change_the_key(self, which: int, second: bool) -> None:
        self.simulation.edit(self._uid(which), apiKeySecretRef={"name": SECOND} if second else None)

    @rule(namespace=st.sampled_from(NAMESPACES), there=st.booleans())
    def give_or_take_the_second_key(self, namespace: str, there: bool) -> None:
        self.simulation.give_second_key(namespace, there=there)


class AnyScheduleInARoughWorld(AnyScheduleWithBatches):
    """The same, and what happens to an installation from outside: see `RoughWorld`."""

    simulation: RoughWorld
    world = RoughWorld

    @precondition(lambda self: self.simulation.uids)
    @rule(
        which=small,
        name=st.sampled_from(("other", "another")),
        delete_first=st.booleans(),
        choices=st.lists(st.integers(0, 99), max_size=30),
    )
    def crash_during_a_rename(self, which: int, name: str, delete_first: bool, choices: list[int]) -> None:
        self.simulation.wait(3.0)
        if self.simulation.uids:
            self.simulation.rename(self._uid(which), name, delete_first=delete_first)
        for choice in choices:
            self.simulation.step(choice)
        self.simulation.crash()
        self.simulation.start()

    @rule(kind=st.sampled_from([ACCOUNT_KIND, BATCH_KIND]), seconds=st.sampled_from([0.0, 1.0, 30.0]))
    def delete_a_crd(self, kind: str, seconds: float) -> None:
        self.simulation.delete_crd(kind)
        self.simulation.wait(seconds)

    @rule()
    def install_the_crds(self) -> None:
        self.simulation.install_crds()

    @with_an_object()
    def leave_the_shard(self, which: int) -> None:
        self.simulation.leave_shard(self._uid(which))

    @with_a_batch()
    def leave_the_shard_with_all_children(self, which: int) -> None:
        self.simulation.leave_shard(self._batch(which))

    @rule()
    def return_to_the_shard(self) -> None:
        self.simulation.return_to_shard()

    @with_an_object(fields=st.sampled_from([{}, {"adoptionPolicy": "Adopt"}]))
    def restore_without_status(self, which: int, fields: dict[str, str]) -> None:
        self.simulation.restore_without_status(self._uid(which), **fields)

    @rule(namespace=st.sampled_from(NAMESPACES), annotations=st.sampled_from(DEFAULTS))
    def change_the_defaults(self, namespace: str, annotations: dict[str, str]) -> None:
        self.simulation.change_defaults(namespace, annotations)

    @rule(on=st.booleans(), softly=st.booleans())
    def freeze_or_not(self, on: bool, softly: bool) -> None:
        self.simulation.freeze(on=on, softly=softly)

    @with_an_object(on=st.booleans())
    def protect_or_not(self, which: int, on: bool) -> None:
        self.simulation.edit(self._uid(which), deletionProtection=on)

    @with_a_batch(on=st.booleans())
    def protect_a_batch_or_not(self, which: int, on: bool) -> None:
        self.simulation.change_template(self._batch(which), deletionProtection=on)


class AnyWipeInPortions(Schedule):
    """Inboxes of three namespaces are deleted in portions, with faults and crashes between; see `Portions`."""

    simulation: Portions

    @initialize(brake=st.sampled_from(["4", "50%"]), bulk=st.sampled_from([2, 100]))
    def begin(self, brake: str, bulk: int) -> None:
        self.simulation = Portions(brake=brake, bulk=bulk)
        self.simulation.launch()

    @rule(namespace=st.sampled_from(FLEET), count=st.integers(1, 6))
    def delete_some(self, namespace: str, count: int) -> None:
        self.simulation.delete_some(namespace, count)

    @rule(fault=st.sampled_from([Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.DOWN, Fault.PARTIAL, Fault.RATE]))
    def coldsend_fails(self, fault: Fault) -> None:
        self.simulation.fault(fault)

    @rule(downtime=st.sampled_from([0.0, 50.0, 700.0]))
    def crash(self, downtime: float) -> None:
        self.simulation.crash()
        self.simulation.pass_time(downtime)
        self.simulation.start()

    @rule(seconds=st.sampled_from([0.5, 2.0, 10.0, 40.0, 310.0, 700.0]))
    def wait(self, seconds: float) -> None:
        self.simulation.wait(seconds)


TestAnySchedule = AnySchedule.TestCase
TestAnySchedule.settings = profile(250)
TestAnyScheduleWithBatches = AnyScheduleWithBatches.TestCase
TestAnyScheduleWithBatches.settings = profile(150)
TestAnyScheduleWithTwoKeys = AnyScheduleWithTwoKeys.TestCase
TestAnyScheduleWithTwoKeys.settings = profile(100)
TestAnyScheduleInARoughWorld = AnyScheduleInARoughWorld.TestCase
TestAnyScheduleInARoughWorld.settings = profile(150)
TestAnyWipeInPortions = AnyWipeInPortions.TestCase
TestAnyWipeInPortions.settings = profile(40)
