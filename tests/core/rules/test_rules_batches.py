"""The rules of "Deletion", what batches add: 24 and 25."""

from dataclasses import replace

import pytest

from coldsend_operator.batches.batch_work import BatchWork
from coldsend_operator.batches.reading import see_batch
from coldsend_operator.core.batch.counts import Counts
from coldsend_operator.core.batch.decide import ChildAction, FinalizerChange, decide_child, finalizer_change
from coldsend_operator.core.batch.model import Batch, Child, DesiredList, Entry, desired_list
from coldsend_operator.core.batch.overrides import deleted_with
from coldsend_operator.core.batch.status import project_batch
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.policy import BatchSettings, Policy
from coldsend_operator.core.model.reasons import Reason
from tests.core.rules.watching import finish, reach, running
from tests.support.core_world import CoreWorld, row
from tests.support.simulation import Simulation

LABELS = (("coldsend.pro/batch", "pool"), ("shard", "1"))
NAME = "pool-ann-abcdefghij"
IDENTITY = "google_workspace ann@company.com"
ENTRY = Entry(0, NAME, "ann@company.com", IDENTITY, b"digest", "{}")
CHILD = Child("uid-1", NAME, 7, 1, IDENTITY, b"digest", LABELS, owner="batch-1", owner_name="pool")
OLDER = replace(CHILD, owner="batch-0")


def batch_of(*children: Child, **fields: object) -> Batch:
    batch = Batch("batch-1", "sales", "pool", labels=LABELS, finalized=True, desired=desired_list(1, (ENTRY,)))
    batch.children = {child.name: child.owner for child in children if child.owner is not None}
    for name, value in fields.items():
        setattr(batch, name, value)
    return batch


def mark_for(batch: Batch, *children: Child, idle: bool = True) -> FinalizerChange:
    return finalizer_change(batch, lambda: iter(children), idle=idle)


@pytest.mark.parametrize(
    ("children", "fields", "mark"),
    [
        ((), {"finalized": False}, FinalizerChange.ADD),
        ((CHILD,), {"finalized": False, "desired": DesiredList(1)}, FinalizerChange.ADD),
        ((CHILD,), {"desired": DesiredList(1)}, FinalizerChange.NONE),
        ((), {"desired": DesiredList(1)}, FinalizerChange.REMOVE),
        ((CHILD,), {"deleting": True}, FinalizerChange.NONE),
        ((), {"deleting": True}, FinalizerChange.REMOVE),
    ],
    ids=["before_the_first", "with_children", "emptied", "empty", "goes_with_children", "goes_without"],
)
def test_rule_24_a_batch_carries_the_finalizer_while_it_has_or_is_to_have_children(
    children: tuple[Child, ...], fields: dict[str, object], mark: FinalizerChange
) -> None:
    assert mark_for(batch_of(*children, **fields), *children) is mark


def test_rule_24_a_batch_does_not_go_while_a_write_of_it_is_under_way() -> None:
    assert mark_for(batch_of(deleting=True), idle=False) is FinalizerChange.NONE


def test_rule_24_a_child_that_changes_while_its_deletion_is_on_its_way_is_not_deleted_as_it_was() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ["a@company.com", "b@company.com"])
    running(simulation, 10.0)
    simulation.list_in_batch("sales", "pool", ["a@company.com"])
    deletion = reach(simulation, "kube", "delete ")
    (child,) = (uid for uid in simulation.uids if simulation.raw(uid)["spec"]["emailAddress"] == "b@company.com")
    simulation.edit(child, deletionPolicy="Orphan")
    finish(simulation, deletion)
    assert "deletionTimestamp" not in simulation.raw(child)["metadata"]


ORPHANED = replace(CHILD, orphan=True)
HOLDER = replace(CHILD, has_inbox=True)
UNLISTED = replace(HOLDER, uid="uid-2", name="pool-bob-abcdefghij")


@pytest.mark.parametrize(
    ("fields", "count"),
    [({}, 1), ({"deleting": True}, 2), ({"deleting": True, "orphan": True}, 0), ({"desired": None}, 0)],
    ids=["one_is_listed", "both_go", "the_template_keeps_them", "the_list_was_not_read"],
)
def test_rule_23_a_batch_tells_the_brake_how_many_inboxes_it_deletes(fields: dict[str, object], count: int) -> None:
    without = replace(UNLISTED, uid="uid-3", name="pool-eve-abcdefghij", has_inbox=False)
    stays = replace(UNLISTED, uid="uid-4", name="pool-joe-abcdefghij", orphan=True)
    children = (HOLDER, UNLISTED, without, stays)
    assert deleted_with(batch_of(*children, **fields), children) == count


BY_HAND = replace(CHILD, orphan=True, orphan_by_hand=True)


@pytest.mark.parametrize(
    ("child", "orphan", "action"),
    [
        (CHILD, False, ChildAction.DELETE),
        (CHILD, True, ChildAction.POLICY),
        (ORPHANED, False, ChildAction.POLICY),
        (ORPHANED, True, ChildAction.DELETE),
        (BY_HAND, False, ChildAction.DELETE),
    ],
    ids=["delete", "orphan_is_written", "delete_is_written", "orphan", "orphan_by_hand_stays"],
)
@pytest.mark.parametrize("leaves", ["the_list", "with_the_batch"])
def test_rule_24_the_live_templates_policy_is_written_before_a_child_is_deleted(
    child: Child, orphan: bool, action: ChildAction, leaves: str
) -> None:
    batch = batch_of(child, orphan=orphan, deleting=leaves == "with_the_batch")
    if leaves == "the_list":
        batch.desired = DesiredList(2)
    assert decide_child(batch, NAME, child).action is action


@pytest.mark.parametrize(("orphan", "mark"), [(False, FinalizerChange.REMOVE), (True, FinalizerChange.NONE)])
def test_rule_24_a_batch_lets_itself_go_only_when_the_policy_stands_on_the_children_that_stay(
    orphan: bool, mark: FinalizerChange
) -> None:
    batch = batch_of(CHILD, deleting=True, released=True, orphan=orphan)
    assert mark_for(batch, CHILD) is mark
    assert decide_child(batch, NAME, CHILD).action is (ChildAction.POLICY if orphan else ChildAction.NONE)


@pytest.mark.parametrize("says_orphan", ["child", "template"])
def test_rule_24_a_deletion_is_orphan_when_the_child_or_the_live_template_says_so(says_orphan: str) -> None:
    core = CoreWorld(policy=Policy(batches={"batch-1": BatchSettings(orphan=says_orphan == "template")}))
    own = {"deletionPolicy": "Orphan"} if says_orphan == "child" else {}
    account = core.holder(deleting=True, batch="batch-1", **own)
    core.sweep(row())
    assert core.step(account).action is Action.REMOVE_FINALIZER


def test_rule_24_other_edits_of_a_child_by_hand_are_reset() -> None:
    edited = replace(CHILD, digest=b"edited by hand")
    assert decide_child(batch_of(edited), NAME, edited).action is ChildAction.APPLY
    assert decide_child(batch_of(CHILD), NAME, CHILD).action is ChildAction.NONE
    assert decide_child(batch_of(BY_HAND), NAME, BY_HAND).action is ChildAction.NONE


def test_rule_24_a_test_mail_that_a_person_asks_for_on_a_child_is_no_edit_to_be_reset() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ["a@company.com"])
    running(simulation, 60.0)
    (child,) = simulation.uids
    simulation.edit(child, testEmail={"recipient": "ops@example.com", "requestID": "1"})
    simulation.wait(60.0)
    assert simulation.raw(child)["spec"]["testEmail"]["requestID"] == "1"
    assert len(simulation.remote.mails) == 1


@pytest.mark.parametrize(
    "labels",
    [
        {f"label-{number}": "" for number in range(50)},
        {f"{number}-{'x' * 50}": "y" * 63 for number in range(45)},
    ],
)
def test_rule_43_a_batch_with_more_labels_than_its_children_may_have_is_not_worked_on(labels: dict[str, str]) -> None:
    unlisted = replace(CHILD, name="pool-bob-abcdefghij")
    batch = batch_of(unlisted)
    see_batch(batch, {"metadata": {"labels": {"shard": "1", **labels}}, "spec": {}})
    assert decide_child(batch, NAME, None).action is ChildAction.NONE
    assert decide_child(batch, unlisted.name, unlisted).action is ChildAction.NONE
    (ready, *_) = (project_batch(batch, Counts(), [], None, 0.0) or {})["conditions"]
    assert ready["reason"] == Reason.INVALID_SPEC
    assert "Remove labels from the batch" in ready["message"]
    see_batch(batch, {"metadata": {"labels": {"shard": "1"}}, "spec": {}})
    assert decide_child(batch, NAME, None).action is ChildAction.APPLY


def test_rule_24_children_copy_the_labels_of_their_batch() -> None:
    batch = Batch("batch-1", "sales", "pool")
    see_batch(batch, {"metadata": {"labels": {"shard": "1"}}, "spec": {}})
    assert batch.labels == LABELS
    unlabelled = replace(CHILD, labels=LABELS[:1])
    assert decide_child(batch_of(unlabelled), NAME, unlabelled).action is ChildAction.APPLY


def test_rule_24_a_label_by_which_a_tool_knows_what_it_owns_is_taken_off_a_child_that_has_it() -> None:
    batch = Batch("batch-1", "sales", "pool")
    tracking = {"argocd.argoproj.io/instance": "sales"}
    see_batch(batch, {"metadata": {"labels": {"shard": "1", **tracking}}, "spec": {}})
    assert batch.labels == LABELS
    tracked = replace(CHILD, labels=tuple(sorted({**dict(LABELS), **tracking}.items())))
    assert decide_child(batch_of(tracked), NAME, tracked).action is ChildAction.APPLY


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"paused": True},
        {"desired": DesiredList(1)},
        {"desired": None},
        {"desired": DesiredList(1, problems=("bad",))},
    ],
    ids=["as_asked", "paused", "not_in_the_list", "unread", "unreadable"],
)
def test_rule_25_a_child_of_an_earlier_batch_of_this_name_gets_the_new_owner_before_anything_else(
    fields: dict[str, object],
) -> None:
    assert decide_child(batch_of(OLDER, **fields), NAME, OLDER).action is ChildAction.RENEW


def test_rule_25_a_child_that_is_in_deletion_is_not_renewed() -> None:
    going = replace(OLDER, deleting=True)
    assert decide_child(batch_of(going), NAME, going).action is ChildAction.NONE


def test_rule_25_no_other_write_of_a_batch_begins_before_all_owners_are_renewed() -> None:
    work = BatchWork(batch_of())
    work.decided("new", ChildAction.APPLY, 0.0, new=True)
    work.decided("inherited", ChildAction.RENEW, 0.0, new=False)
    assert work.next_write() == ("inherited", ChildAction.RENEW)
    assert work.next_write() is None
    work.children.done("inherited")
    assert work.next_write() == ("new", ChildAction.APPLY)


@pytest.mark.parametrize(
    "stranger",
    [
        replace(CHILD, identity="google_workspace bob@company.com"),
        replace(CHILD, identity="google_workspace bob@company.com", owner=None, owner_name=None),
        replace(CHILD, foreign=True, owner=None, owner_name=None),
        replace(CHILD, owner="batch-2", owner_name="other"),
    ],
    ids=["other_address", "other_address_without_owner", "controlled_by_another_kind", "of_another_batch"],
)
def test_rule_25_an_object_that_only_has_the_childs_name_is_told_of_and_left_alone(stranger: Child) -> None:
    decision = decide_child(batch_of(stranger), NAME, stranger)
    assert decision.action is ChildAction.NONE
    assert decision.refusal is not None
    assert decision.refusal.reason is Reason.INVALID_SPEC
    assert NAME in decision.refusal.message


@pytest.mark.parametrize("deleting", [False, True])
def test_rule_25_what_no_batch_owns_is_never_deleted_by_one(deleting: bool) -> None:
    loose = replace(CHILD, owner=None, owner_name=None)
    assert decide_child(batch_of(deleting=deleting, desired=DesiredList(2)), NAME, loose).action is ChildAction.NONE
