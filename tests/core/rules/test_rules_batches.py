"""safety.md, "Deletion", what batches add: rules 24 and 25."""

from dataclasses import replace

import pytest

from coldsend_operator.core.batch import Batch, Child, Entry, Wanted, wanted_of
from coldsend_operator.core.batch_plan import Deed, Mark, decide, mark_of_batch
from coldsend_operator.core.batch_status import project_batch
from coldsend_operator.core.batch_tally import Tally
from coldsend_operator.core.policy import Policy
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.steps import Move
from coldsend_operator.objects.batch_reading import see_batch
from coldsend_operator.workspace.batch_following import Following
from tests.support.desk import Desk, row

LABELS = (("coldsend.pro/batch", "pool"), ("shard", "1"))
NAME = "pool-ann-abcdefghij"
IDENTITY = "google_workspace ann@company.com"
ENTRY = Entry(0, NAME, "ann@company.com", IDENTITY, b"digest", "{}")
CHILD = Child("uid-1", NAME, 7, 1, IDENTITY, b"digest", LABELS, owner="batch-1", owner_name="pool")
OLDER = replace(CHILD, owner="batch-0")


def batch_of(*children: Child, **fields: object) -> Batch:
    batch = Batch("batch-1", "sales", "pool", labels=LABELS, finalized=True, wanted=wanted_of(1, (ENTRY,)))
    for child in children:
        batch.family.put(child.name, child.owner)
    for name, value in fields.items():
        setattr(batch, name, value)
    return batch


def mark_for(batch: Batch, *children: Child, idle: bool = True) -> Mark:
    return mark_of_batch(batch, lambda: iter(children), idle=idle)


@pytest.mark.parametrize(
    ("children", "fields", "mark"),
    [
        ((), {"finalized": False}, Mark.PUT),
        ((CHILD,), {"finalized": False, "wanted": Wanted(1)}, Mark.PUT),
        ((CHILD,), {"wanted": Wanted(1)}, Mark.KEEP),
        ((), {"wanted": Wanted(1)}, Mark.TAKE),
        ((CHILD,), {"deleting": True}, Mark.KEEP),
        ((), {"deleting": True}, Mark.TAKE),
    ],
    ids=["before_the_first", "with_children", "emptied", "empty", "goes_with_children", "goes_without"],
)
def test_rule_24_a_batch_carries_the_finalizer_while_it_has_or_is_to_have_children(
    children: tuple[Child, ...], fields: dict[str, object], mark: Mark
) -> None:
    assert mark_for(batch_of(*children, **fields), *children) is mark


def test_rule_24_a_batch_does_not_go_while_a_write_of_it_is_under_way() -> None:
    assert mark_for(batch_of(deleting=True), idle=False) is Mark.KEEP


ORPHANED = replace(CHILD, orphan=True)
BY_HAND = replace(CHILD, orphan=True, orphan_by_hand=True)


@pytest.mark.parametrize(
    ("child", "orphan", "deed"),
    [
        (CHILD, False, Deed.DELETE),
        (CHILD, True, Deed.POLICY),
        (ORPHANED, False, Deed.POLICY),
        (ORPHANED, True, Deed.DELETE),
        (BY_HAND, False, Deed.DELETE),
    ],
    ids=["delete", "orphan_is_written", "delete_is_written", "orphan", "orphan_by_hand_stays"],
)
@pytest.mark.parametrize("leaves", ["the_list", "with_the_batch"])
def test_rule_24_the_live_templates_policy_is_written_before_a_child_is_deleted(
    child: Child, orphan: bool, deed: Deed, leaves: str
) -> None:
    batch = batch_of(child, orphan=orphan, deleting=leaves == "with_the_batch")
    if leaves == "the_list":
        batch.wanted = Wanted(2)
    assert decide(batch, NAME, child).deed is deed


@pytest.mark.parametrize(("orphan", "mark"), [(False, Mark.TAKE), (True, Mark.KEEP)])
def test_rule_24_a_batch_lets_itself_go_only_when_the_policy_stands_on_the_children_that_stay(
    orphan: bool, mark: Mark
) -> None:
    batch = batch_of(CHILD, deleting=True, released=True, orphan=orphan)
    assert mark_for(batch, CHILD) is mark
    assert decide(batch, NAME, CHILD).deed is (Deed.POLICY if orphan else Deed.REST)


@pytest.mark.parametrize("says_orphan", ["child", "template"])
def test_rule_24_a_deletion_is_orphan_when_the_child_or_the_live_template_says_so(says_orphan: str) -> None:
    desk = Desk(policy=Policy(orphaning={"batch-1"} if says_orphan == "template" else set()))
    own = {"deletionPolicy": "Orphan"} if says_orphan == "child" else {}
    account = desk.holder(deleting=True, batch="batch-1", **own)
    desk.sweep(row())
    assert desk.step(account).move is Move.UNMARK


def test_rule_24_other_edits_of_a_child_by_hand_are_reset() -> None:
    edited = replace(CHILD, digest=b"edited by hand")
    assert decide(batch_of(edited), NAME, edited).deed is Deed.APPLY
    assert decide(batch_of(CHILD), NAME, CHILD).deed is Deed.REST
    assert decide(batch_of(BY_HAND), NAME, BY_HAND).deed is Deed.REST


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
    assert decide(batch, NAME, None).deed is Deed.REST
    assert decide(batch, unlisted.name, unlisted).deed is Deed.REST
    (ready, *_) = (project_batch(batch, Tally(), [], None, 0.0) or {})["conditions"]
    assert ready["reason"] == Reason.INVALID_SPEC
    assert "Remove labels from the batch" in ready["message"]
    see_batch(batch, {"metadata": {"labels": {"shard": "1"}}, "spec": {}})
    assert decide(batch, NAME, None).deed is Deed.APPLY


def test_rule_24_children_copy_the_labels_of_their_batch() -> None:
    batch = Batch("batch-1", "sales", "pool")
    see_batch(batch, {"metadata": {"labels": {"shard": "1"}}, "spec": {}})
    assert batch.labels == LABELS
    unlabelled = replace(CHILD, labels=LABELS[:1])
    assert decide(batch_of(unlabelled), NAME, unlabelled).deed is Deed.APPLY


def test_rule_24_a_label_by_which_a_tool_knows_what_it_owns_is_taken_off_a_child_that_has_it() -> None:
    batch = Batch("batch-1", "sales", "pool")
    tracking = {"argocd.argoproj.io/instance": "sales"}
    see_batch(batch, {"metadata": {"labels": {"shard": "1", **tracking}}, "spec": {}})
    assert batch.labels == LABELS
    tracked = replace(CHILD, labels=tuple(sorted({**dict(LABELS), **tracking}.items())))
    assert decide(batch_of(tracked), NAME, tracked).deed is Deed.APPLY


@pytest.mark.parametrize(
    "fields",
    [{}, {"paused": True}, {"wanted": Wanted(1)}, {"wanted": None}, {"wanted": Wanted(1, problems=("bad",))}],
    ids=["as_asked", "paused", "not_in_the_list", "unread", "unreadable"],
)
def test_rule_25_a_child_of_an_earlier_batch_of_this_name_gets_the_new_owner_before_anything_else(
    fields: dict[str, object],
) -> None:
    assert decide(batch_of(OLDER, **fields), NAME, OLDER).deed is Deed.RENEW


def test_rule_25_a_child_that_is_in_deletion_is_not_renewed() -> None:
    going = replace(OLDER, deleting=True)
    assert decide(batch_of(going), NAME, going).deed is Deed.REST


def test_rule_25_no_other_write_of_a_batch_begins_before_all_owners_are_renewed() -> None:
    following = Following(batch_of())
    following.want("new", urgent=False)
    following.want("inherited", urgent=True)
    assert following.take() == "inherited"
    following.renewing = 1
    assert following.take() is None
    following.renewing = 0
    assert following.take() == "new"


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
    decision = decide(batch_of(stranger), NAME, stranger)
    assert decision.deed is Deed.REST
    assert decision.refusal is not None
    assert decision.refusal.reason is Reason.INVALID_SPEC
    assert NAME in decision.refusal.message


@pytest.mark.parametrize("deleting", [False, True])
def test_rule_25_what_no_batch_owns_is_never_deleted_by_one(deleting: bool) -> None:
    loose = replace(CHILD, owner=None, owner_name=None)
    assert decide(batch_of(deleting=deleting, wanted=Wanted(2)), NAME, loose).deed is Deed.REST
