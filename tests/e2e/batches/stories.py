"""The stories, one function each: its name says what must come true. They share an operator and play at once."""

from collections.abc import Callable
from typing import Any

from tests.e2e.batches.pool import ANN, BOB, CAT, DAN, EVE, FINALIZER, Pool
from tests.e2e.support.api_server import Object
from tests.e2e.support.manifests import account
from tests.e2e.support.tenant import LOGIN, Shown, eventually

MANY = tuple(f"seller-{number:03}" for number in range(250))
MAX_REQUESTS = len(MANY) // 2  # children come as slowly as the machine makes them; tests/core/plan counts exactly


def two_hundred_and_fifty_inboxes_become_ready_with_few_requests(pool: Pool) -> None:
    pool.apply(*MANY)
    progress = _watched(pool, lambda shown: shown.condition("Ready") == "True Active")
    pool.ready()  # lists may show all inboxes before the last job is polled again
    shown = pool.until(lambda shown: {job["state"] for job in shown.status["jobs"]} == {"Completed"}, "complete jobs")
    asked = [each for each in pool.tenant.emulator.requests() if each["workspace"] == pool.tenant.workspace]
    assert len(asked) <= MAX_REQUESTS
    assert _figures(shown, "total", "processed", "succeeded", "failed", "ready") == [250, 250, 250, 0, 250]
    assert shown.status["progressPercentage"] == 100
    assert shown.status["healthScore"] == {"min": 100, "mean": 100}
    assert all(0 < job["succeeded"] == job["total"] for job in shown.status["jobs"])
    started = [job["startedAt"] for job in shown.status["jobs"]]
    assert started == sorted(started, reverse=True)
    assert "failures" not in shown.status
    assert "estimatedCompletionTime" not in shown.status
    assert any("estimatedCompletionTime" in each for each in progress)
    assert {event["event"] for event in pool.tenant.emulator.history(by="bulkCreateSmtpAccounts")} == {"created"}


def native_inboxes_become_ready(pool: Pool) -> None:
    native = {"inboxType": "COLDSEND", "dailyLimit": None, "smtp": None, "native": {"domainName": pool.tenant.domain}}
    pool.template = native
    pool.apply(ANN, BOB, CAT)
    shown = pool.ready()
    assert _figures(shown, "total", "succeeded", "ready") == [3, 3, 3]
    assert pool.account(ANN).status["emailAddress"] == pool.tenant.address(ANN)
    assert FINALIZER in shown.raw["metadata"]["finalizers"]


def no_inbox_is_asked_for_and_nothing_is_called(pool: Pool) -> None:
    pool.apply()
    shown = pool.ready()
    assert _figures(shown, "total", "processed", "ready", "progressPercentage") == [0, 0, 0, 100]
    assert FINALIZER not in shown.raw["metadata"].get("finalizers", [])
    assert pool.tenant.emulator.inboxes(workspace=pool.tenant.workspace) == []
    pool.remove()


def an_inbox_that_leaves_the_list_leaves_coldsend_and_no_other_is_touched(pool: Pool) -> None:
    pool.make(ANN, BOB, CAT)
    pool.apply(CAT, ANN)
    pool.tenant.gone(pool.child(BOB))
    pool.figures(total=2, ready=2)
    assert [pool.happened(name) for name in (ANN, BOB, CAT)] == [["created"], ["created", "deleted"], ["created"]]
    pool.apply()
    pool.until(lambda shown: not shown.raw["metadata"].get("finalizers"), "no finalizer without children")
    assert pool.accounts() == {}


def the_policy_of_the_moment_holds_for_an_inbox_that_leaves_the_list(pool: Pool) -> None:
    pool.make(ANN, BOB)
    pool.apply(ANN, deletionPolicy="Orphan")
    pool.tenant.gone(pool.child(BOB))
    pool.ready()
    assert pool.happened(BOB) == ["created"]
    assert pool.account(ANN).raw["spec"]["deletionPolicy"] == "Orphan"


def inboxes_are_replaced_no_more_than_told_at_a_time(pool: Pool) -> None:
    pool.limit(2)
    names = (ANN, BOB, CAT, DAN, EVE)
    pool.make(*names, updatePolicy="Recreate")
    pool.change_template(dailyLimit=20)
    pool.until(lambda shown: _limits(pool) == [20] * 5, "every inbox with the new limit")
    pool.ready()
    missing, most, began = 0, 0, False
    for event in _history(pool):
        began = began or event == "deleted"
        missing += (1 if event == "deleted" else -1) if began else 0
        most = max(most, missing)
    assert 1 <= most <= 2
    assert all(pool.happened(name) == ["created", "deleted", "created"] for name in names)


def what_a_hand_changes_on_a_child_is_undone(pool: Pool) -> None:
    pool.make(ANN, BOB)
    before = pool.account(ANN).raw
    owner = before["metadata"]["ownerReferences"]
    for change in (
        {"spec": {"displayName": "By Hand", "imap": {"port": 143}}},
        {"metadata": {"labels": {"coldsend.pro/batch": None}}},
        {"metadata": {"ownerReferences": None}},
    ):
        changed = pool.tenant.server.merge("SenderAccount", pool.tenant.namespace, pool.child(ANN), change)
        _until_as_before(pool, before, changed)
    assert pool.account(ANN).raw["metadata"]["ownerReferences"] == owner
    assert owner == [
        {
            "apiVersion": "coldsend.pro/v1alpha1",
            "kind": "SenderAccountBatch",
            "name": pool.name,
            "uid": pool.uid,
            "controller": True,
        }
    ]
    pool.ready()
    assert pool.happened(ANN) == ["created"]


def an_orphan_that_a_hand_wrote_on_a_child_stays_to_the_end(pool: Pool) -> None:
    pool.make(ANN, BOB)
    pool.tenant.edit(pool.child(ANN), deletionPolicy="Orphan")
    pool.change_template(dailyLimit=49)
    pool.until_account(ANN, lambda shown: shown.raw["spec"]["dailyLimit"] == 49, "the new limit")
    assert pool.account(ANN).raw["spec"]["deletionPolicy"] == "Orphan"
    pool.remove()
    assert [pool.happened(name) for name in (ANN, BOB)] == [["created"], ["created", "deleted"]]


def a_child_that_a_hand_deletes_is_made_again_with_its_inbox(pool: Pool) -> None:
    pool.make(ANN, BOB)
    uid = pool.account(ANN).raw["metadata"]["uid"]
    pool.tenant.delete(pool.child(ANN))
    pool.until_account(
        ANN,
        lambda shown: shown.raw["metadata"]["uid"] != uid and shown.condition("Ready") == "True Active",
        "another object with its inbox",
    )
    pool.ready()
    assert [pool.happened(name) for name in (ANN, BOB)] == [["created", "deleted", "created"], ["created"]]


def a_batch_takes_its_inboxes_along(pool: Pool) -> None:
    pool.make(ANN, BOB, CAT)
    pool.remove()
    assert pool.accounts() == {}
    assert all(pool.happened(name) == ["created", "deleted"] for name in (ANN, BOB, CAT))


def a_batch_told_to_orphan_as_it_goes_leaves_its_inboxes(pool: Pool) -> None:
    pool.make(ANN, BOB, CAT)
    pool.change_template(deletionPolicy="Orphan")
    pool.delete("Foreground")
    pool.gone()
    assert pool.accounts() == {}
    assert all(pool.happened(name) == ["created"] for name in (ANN, BOB, CAT))


def a_batch_forced_to_orphan_goes_without_its_key(pool: Pool) -> None:
    pool.make(ANN, BOB)
    pool.annotate(force_orphan="true")
    pool.remove()
    assert [pool.happened(name) for name in (ANN, BOB)] == [["created"], ["created"]]


def children_left_behind_are_taken_back_by_a_new_batch_and_no_inbox_is_touched(pool: Pool) -> None:
    pool.until_collected()
    pool.make(ANN, BOB)
    uids = {name: shown.raw["metadata"]["uid"] for name, shown in pool.accounts().items()}
    pool.delete("Orphan")
    pool.gone()
    left = pool.accounts()
    assert not any(shown.raw["metadata"].get("ownerReferences") for shown in left.values())
    pool.make(ANN, BOB)
    assert {name: shown.raw["metadata"]["uid"] for name, shown in pool.accounts().items()} == uids
    assert {shown.raw["metadata"]["ownerReferences"][0]["uid"] for shown in pool.accounts().values()} == {pool.uid}
    assert [pool.happened(name) for name in (ANN, BOB)] == [["created"], ["created"]]


def what_cannot_be_worked_on_fails_alone(pool: Pool) -> None:
    twice = {**pool.item(BOB), "emailAddress": pool.tenant.address(BOB).upper(), "displayName": "Bob Again"}
    pool.apply(ANN, BOB, twice, CAT)
    shown = pool.figures(total=4, ready=3, failed=1, processed=4)
    (failure,) = shown.status["failures"]
    assert failure["reason"] == "AddressConflict"
    assert failure["emailAddress"] == twice["emailAddress"]
    assert "name" not in failure
    assert shown.condition("Ready") == "False AddressConflict"
    assert pool.account(BOB).raw["spec"]["displayName"] == "Bob"
    pool.apply(ANN, BOB, CAT)
    assert "failures" not in pool.ready().status
    assert all(pool.happened(name) == ["created"] for name in (ANN, BOB, CAT))


def an_object_of_a_childs_name_with_another_address_is_left_alone(pool: Pool) -> None:
    spec = {**pool.tenant.manifest("other")["spec"], "emailAddress": pool.tenant.address("other")}
    pool.tenant.server.apply(account(pool.tenant.namespace, pool.child(ANN), spec, pool.tenant.labels))
    pool.tenant.ready(pool.child(ANN))
    pool.apply(ANN, BOB)
    shown = pool.figures(total=2, ready=1, failed=1)
    (failure,) = shown.status["failures"]
    assert failure["reason"] == "InvalidSpec"
    assert pool.child(ANN) in failure["message"]
    stranger = pool.account(ANN).raw
    assert stranger["spec"]["emailAddress"] == pool.tenant.address("other")
    assert "ownerReferences" not in stranger["metadata"]
    pool.tenant.delete(pool.child(ANN))
    pool.ready()
    assert pool.happened("other") == ["created", "deleted"]
    assert pool.happened(ANN) == ["created"]


def a_late_secret_turns_failures_into_inboxes(pool: Pool) -> None:
    pool.apply(ANN, BOB, smtp={"passwordSecretRef": {"name": "late"}})
    shown = pool.figures(total=2, failed=2, processed=2, succeeded=0)
    assert [each["reason"] for each in shown.status["failures"]] == ["SecretNotFound", "SecretNotFound"]
    assert shown.condition("Synced") == "False SecretNotFound"
    eventually(lambda: "Warning SecretNotFound" in pool.events(), "an Event")
    pool.tenant.secret("late", password=pool.tenant.password)
    assert _figures(pool.ready(), "succeeded", "failed", "ready") == [2, 0, 2]


def passwords_come_from_the_key_of_each_inbox(pool: Pool) -> None:
    pool.tenant.secret(LOGIN, ann=f"{pool.tenant.password} a", bob=f"{pool.tenant.password} b")
    pool.make(pool.item(ANN, passwordKey="ann"), pool.item(BOB, passwordKey="bob", dailyLimit=7))
    assert pool.tenant.emulator.has_passwords(pool.tenant.inbox(ANN)["inbox_id"], f"{pool.tenant.password} a")
    assert pool.tenant.emulator.has_passwords(pool.tenant.inbox(BOB)["inbox_id"], f"{pool.tenant.password} b")
    assert pool.tenant.inbox(BOB)["daily_limit"] == 7


def what_was_answered_stays_answered_while_an_inbox_is_made_a_second_time(pool: Pool) -> None:
    pool.make(ANN, BOB, CAT)
    pool.tenant.drop_secret()  # so that it cannot be made at once
    pool.tenant.emulator.delete(pool.tenant.address(BOB))
    pool.tenant.annotate(pool.child(BOB), reconcile="now")
    shown = pool.until(lambda shown: shown.status["ready"] == 2, "two that are ready")
    assert _figures(shown, "total", "processed") == [3, 3]
    pool.tenant.secret(password=pool.tenant.password)
    states = _watched(pool, lambda shown: shown.status["ready"] == 3)
    assert {each["processed"] for each in states} == {3}


def two_batches_that_ask_for_one_address_do_not_disturb_each_other(pool: Pool) -> None:
    pool.make(ANN, BOB)
    younger = Pool(pool.tenant, "younger")
    younger.apply(BOB, CAT)
    shown = younger.figures(total=2, ready=1, failed=1)
    (failure,) = shown.status["failures"]
    assert (failure["name"], failure["reason"]) == (younger.child(BOB), "AddressConflict")
    assert pool.child(BOB) in failure["message"]
    assert pool.ready().status["ready"] == 2
    pool.remove()
    younger.ready()
    assert [pool.happened(name) for name in (BOB, CAT)] == [["created"], ["created"]]


def a_batch_under_another_name_takes_the_inboxes_over_as_argo_cd_would_rename_it(pool: Pool) -> None:
    pool.make(*MANY[:40])
    ids = {name: pool.account(name).inbox_id for name in MANY[:40]}
    asked = len(pool.tenant.asked())
    renamed = Pool(pool.tenant, "renamed", template=pool.template)
    renamed.apply(*MANY[:40])
    pool.remove()
    renamed.ready()
    assert {name: renamed.account(name).inbox_id for name in MANY[:40]} == ids
    assert {request["method"] for request in pool.tenant.asked()[asked:]} <= {"GET"}


def an_inbox_moves_into_a_batch_and_out_of_it(pool: Pool) -> None:
    pool.tenant.apply(ANN, displayName="Ann")
    first = pool.tenant.ready(ANN).inbox_id
    pool.apply(ANN, BOB)
    pool.tenant.delete(ANN)
    pool.tenant.gone(ANN)
    pool.ready()
    assert pool.account(ANN).inbox_id == first
    pool.tenant.apply(ANN, displayName="Ann")
    pool.make(BOB)
    assert pool.tenant.ready(ANN).inbox_id == first
    assert pool.happened(ANN) == ["created"]


def a_paused_batch_changes_no_child_and_still_goes(pool: Pool) -> None:
    pool.make(ANN, BOB)
    before = {name: shown.raw["metadata"]["generation"] for name, shown in pool.accounts().items()}
    pool.annotations = {"coldsend.pro/paused": "true"}
    pool.apply(ANN, CAT, dailyLimit=5)
    shown = pool.shows(Synced="False ReconciliationPaused")
    assert shown.status["total"] == 2
    assert {name: each.raw["metadata"]["generation"] for name, each in pool.accounts().items()} == before
    pool.remove()
    assert [pool.happened(name) for name in (ANN, BOB, CAT)] == [["created", "deleted"], ["created", "deleted"], []]


def a_wiped_list_is_held_until_somebody_approves_it_on_the_batch(pool: Pool) -> None:
    names = MANY[:24]
    pool.make(*names)
    pool.apply(*names[:2])
    pool.shows(Synced="False DeletionHeld")
    eventually(lambda: "Warning DeletionHeld" in pool.events(), "an Event")
    pool.until(lambda shown: "22 inboxes of this batch wait" in shown.message("Synced"), "how many are held")
    assert _left(pool) == 24, _history(pool)  # a shorter list is one decision
    pool.annotate(approve_deletion="true")
    pool.ready()
    assert _left(pool) == 2


def a_batch_goes_with_its_namespace(pool: Pool) -> None:
    pool.make(ANN, BOB)
    pool.tenant.server.delete("Namespace", "", pool.tenant.namespace)
    pool.gone()
    assert [pool.happened(name) for name in (ANN, BOB)] == [["created", "deleted"], ["created", "deleted"]]


# -- how they look


def _watched(pool: Pool, done: Callable[[Shown], bool]) -> list[dict[str, Any]]:
    """The states of status until it is done; what was processed never goes back within one generation."""
    states: list[dict[str, Any]] = []

    def look(shown: Shown) -> bool:
        if shown.status and (not states or states[-1] != shown.status):
            states.append(shown.status)
        return bool(shown.status) and done(shown)

    pool.until(look, "the end")
    processed = [(each["observedGeneration"], each.get("processed", 0)) for each in states]
    assert processed == sorted(processed)
    return states


def _figures(shown: Shown, *names: str) -> list[object]:
    return [shown.status.get(name) for name in names]


def _left(pool: Pool) -> int:
    return len(pool.tenant.emulator.inboxes(workspace=pool.tenant.workspace))


def _limits(pool: Pool) -> list[object]:
    return [inbox["daily_limit"] for inbox in pool.tenant.emulator.inboxes(workspace=pool.tenant.workspace)]


def _history(pool: Pool) -> list[str]:
    history = pool.tenant.emulator.history()
    return [each["event"] for each in history if each["workspace"] == pool.tenant.workspace]


def _until_as_before(pool: Pool, before: Object, changed: Object) -> None:
    """Waits for a state after `changed` that is as the one before it."""

    def as_before(shown: Shown) -> bool:
        metadata = shown.raw["metadata"]
        later = int(metadata["resourceVersion"]) > int(changed["metadata"]["resourceVersion"])
        same = all(metadata.get(key) == before["metadata"].get(key) for key in ("labels", "ownerReferences", "uid"))
        return later and same and bool(shown.raw["spec"] == before["spec"])

    pool.until_account(ANN, as_before, "what was there before")
