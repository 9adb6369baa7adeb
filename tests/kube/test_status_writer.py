"""Status writes on a real API server: only the difference, and only on the very object (rule 2)."""

from typing import Any

import pytest

from coldsend_operator.kube.client import JSON_PATCH, MERGE_PATCH
from coldsend_operator.kube.errors import Invalid
from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.status import WrittenStatus, compact, difference, write_status
from tests.kube.support import World

UNSEEN: dict[str, Any] = {"observedGeneration": -1}
READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Active",
    "message": "",
    "lastTransitionTime": "2026-11-24T03:00:00Z",
}
FULL: dict[str, Any] = {
    "observedGeneration": 1,
    "inboxID": "750e8400-e29b-41d4-a716-446655440000",
    "overallStatus": "ACTIVE",
    "emailsSentToday": 3,
    "lastApplied": {"specHash": "a", "workspace": "w"},
    "conditions": [READY],
}


async def status_of(world: World, ref: Ref) -> dict[str, Any]:
    status: dict[str, Any] = (await world.client.get(ref.path)).get("status", {})
    return status


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (UNSEEN, FULL),
        (FULL, {**FULL, "emailsSentToday": 4}),
        (FULL, {**FULL, "lastApplied": {"specHash": "b"}}),
        (FULL, {**FULL, "conditions": []}),
        (FULL, {"inboxID": "another"}),
        (FULL, {**FULL, "inboxID": None}),
        (FULL, {**FULL, "lastApplied": {"specHash": "a", "workspace": None}}),
        (FULL, {}),
    ],
)
async def test_the_server_holds_what_is_new(world: World, old: dict[str, Any], new: dict[str, Any]) -> None:
    ref = await world.account()
    await write_status(world.client, ref, UNSEEN, old)
    written = await write_status(world.client, ref, old, new)
    assert written == WrittenStatus((await world.metadata(ref))["resourceVersion"], compact(new))
    assert await status_of(world, ref) == compact(new)


async def test_a_new_object_has_the_default_on_top_of_which_the_first_write_is_one_call(world: World) -> None:
    ref = await world.account()
    assert await status_of(world, ref) == UNSEEN
    world.writes.clear()
    await write_status(world.client, ref, UNSEEN, FULL)
    assert world.writes == [("SenderAccount", "patch")]


async def test_nothing_changed_is_no_call(world: World) -> None:
    ref = await world.account()
    await write_status(world.client, ref, UNSEEN, FULL)
    world.writes.clear()
    assert await write_status(world.client, ref, FULL, {**FULL, "job": None}) == WrittenStatus(None, FULL)
    assert world.writes == []


async def test_fields_that_did_not_change_are_not_sent(world: World) -> None:
    ref = await world.account()
    await write_status(world.client, ref, UNSEEN, FULL)
    await world.client.patch(f"{ref.path}/status", {"status": {"overallStatus": "PAUSED"}}, MERGE_PATCH)
    written = await write_status(world.client, ref, FULL, {**FULL, "emailsSentToday": 4})
    assert written is not None
    assert written.status == {**FULL, "overallStatus": "PAUSED", "emailsSentToday": 4}


@pytest.mark.parametrize(
    ("held", "old", "new", "then"),
    [
        (FULL, {}, {"overallStatus": "PAUSED"}, {**FULL, "overallStatus": "PAUSED"}),
        ({}, FULL, {**FULL, "overallStatus": "PAUSED"}, {"overallStatus": "PAUSED"}),
        ({"inboxID": "x"}, FULL, {"inboxID": "y"}, {"inboxID": "y"}),
        ({"inboxID": "x"}, {"inboxID": "x", "overallStatus": "ACTIVE"}, {"inboxID": "x"}, {"inboxID": "x"}),
        ({}, FULL, {}, {}),
        ({}, {}, {"overallStatus": "PAUSED"}, {"overallStatus": "PAUSED"}),
    ],
)
async def test_a_wrong_idea_of_the_old_status_changes_only_what_differs(
    world: World, held: dict[str, Any], old: dict[str, Any], new: dict[str, Any], then: dict[str, Any]
) -> None:
    ref = await world.account()
    await write_status(world.client, ref, UNSEEN, held)
    written = await write_status(world.client, ref, old, new)
    assert written is not None
    assert (written.status, await status_of(world, ref)) == (then, then)


async def test_a_gone_object_is_none(world: World) -> None:
    ref = await world.account()
    await world.client.delete(ref.path)
    assert await write_status(world.client, ref, UNSEEN, FULL) is None


@pytest.mark.parametrize("old", [UNSEEN, FULL])
async def test_a_late_answer_does_not_land_on_a_later_object_of_the_same_name(
    world: World, old: dict[str, Any]
) -> None:
    ref = await world.account()
    new = await world.account_again(ref)
    await write_status(world.client, new, UNSEEN, old)
    assert await write_status(world.client, ref, old, {**FULL, "inboxID": "late"}) is None
    assert await status_of(world, new) == old


async def test_the_api_server_itself_ignores_a_foreign_uid_in_a_merge_patch_of_the_status(world: World) -> None:
    """Why the writer sends a JSON patch; when this fails, a merge patch will do."""
    ref = await world.account()
    body = {"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}, "status": {"inboxID": "foreign"}}
    await world.client.patch(f"{ref.path}/status", body, MERGE_PATCH)
    assert await status_of(world, ref) == {**UNSEEN, "inboxID": "foreign"}


async def test_a_status_that_the_crd_refuses_is_told_and_not_tried_for_ever(world: World) -> None:
    ref = await world.account()
    with pytest.raises(Invalid, match="conditions"):
        await write_status(world.client, ref, {}, {"conditions": "none"})
    assert 1 < len(world.writes) <= 5


async def test_a_status_write_leaves_spec_and_metadata_alone(world: World) -> None:
    ref = await world.account()
    before = await world.client.get(ref.path)
    await write_status(world.client, ref, UNSEEN, FULL)
    after = await world.client.get(ref.path)
    assert (after["spec"], after["metadata"]["generation"]) == (before["spec"], before["metadata"]["generation"])


async def test_a_key_of_a_json_patch_that_is_no_field_is_refused(world: World) -> None:
    ref = await world.account()
    with pytest.raises(Invalid):
        await world.client.patch(f"{ref.path}/status", [{"op": "remove", "path": "/status/nothing"}], JSON_PATCH)


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 1, "b": None}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": None}}, {}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": None}]}, {}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {}, {"a": None}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": [1, 2]}, {"a": [2]}, {"a": [2]}),
    ],
)
def test_the_difference_names_the_changed_fields_whole(
    old: dict[str, Any], new: dict[str, Any], change: dict[str, Any]
) -> None:
    assert difference(old, new) == change


async def test_rule_35_a_field_that_the_crd_does_not_know_is_told_once_and_written_no_more(world: World) -> None:
    ref = await world.account()
    new = {**UNSEEN, "inboxID": "one", "fromTheFuture": {"a": 1}, "lastApplied": {"toBe": "known"}}
    written = await write_status(world.client, ref, UNSEEN, new)
    assert written is not None
    assert written.status == {**UNSEEN, "inboxID": "one", "lastApplied": {}}
    assert world.client.pruning.lost("SenderAccount") == ("fromTheFuture", "lastApplied.toBe")
    world.writes.clear()
    again = await write_status(world.client, ref, written.status, new)
    assert again is not None
    assert (again.status, world.writes) == (written.status, [])
    world.client.pruning.clear()
    await write_status(world.client, ref, written.status, new)
    assert world.writes == [("SenderAccount", "patch")]
