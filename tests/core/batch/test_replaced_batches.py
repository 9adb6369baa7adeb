"""A batch that was replaced by one of the same name: late news of the old one do not take the children of the new."""

from coldsend_operator.batches.child_index import ChildIndex
from tests.support.core_world import object_of

NAMES = {"namespace": "sales", "name": "pool"}


def test_that_a_late_event_of_a_replaced_batch_does_not_hide_events_of_children_from_the_new_one() -> None:
    told: list[tuple[str, str]] = []
    children = ChildIndex(lambda work, name: told.append((work.batch.uid, name)))
    children.follow({"uid": "new", **NAMES})
    children.follow({"uid": "old", **NAMES})
    children.forget("old")
    raw = object_of("a@company.com", "uid", name="child")
    owner = {"kind": "SenderAccountBatch", "apiVersion": "coldsend.pro/v1alpha1", "uid": "new", "name": "pool"}
    raw["metadata"] |= {"ownerReferences": [owner], "namespace": "sales"}
    children.see_child(raw)
    assert told == [("new", "child")]
