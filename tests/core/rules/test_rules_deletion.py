"""The rules of "Deletion": 20 to 23, and 26."""

from typing import Any

import pytest

from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.answers import Created, Deleted
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.policy import BatchSettings, Policy, Threshold, Unavailable
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from coldsend_operator.core.workspace.replacements import ROLLOUT_SECONDS
from coldsend_operator.resources.names import PAUSED_ANNOTATION
from tests.core.rules.deleting import DELETES
from tests.core.rules.watching import finish, pending, reach, running
from tests.support.clock import START
from tests.support.core_world import ANN, CoreWorld, asked_for, row
from tests.support.remote import FakeColdSend
from tests.support.simulation import SECRET, Simulation

OTHER_KEY = "cs_live_other"


def deletes(core: CoreWorld) -> list[str]:
    """Inboxes that would be deleted, once no more deletions come."""
    core.wait(SETTLE_SECONDS)
    return [inbox_id for call in core.calls() if call.operation in DELETES for inbox_id in call.inbox_ids]


def test_rule_20_a_delete_leaves_only_when_the_inbox_is_shown() -> None:
    core = CoreWorld()
    account = core.holder(deleting=True)
    assert core.step(account).action is Action.GET
    assert deletes(core) == []
    core.get(account, row())
    assert deletes(core) == ["inbox-1"]


@pytest.mark.parametrize("deleting", [True, False], ids=["in_deletion", "to_be_replaced"])
def test_rule_20_an_inbox_of_another_address_is_not_deleted(deleting: bool) -> None:
    core = CoreWorld()
    account = core.holder(deleting=deleting, updatePolicy="Recreate")
    account.credentials = Credentials("hmac-of-two")
    core.sweep(row("somebody@company.com"))
    assert core.step(account).reason is Reason.ADDRESS_CONFLICT
    assert deletes(core) == []


def test_rule_20_a_native_inbox_of_another_prefix_is_not_deleted() -> None:
    core = CoreWorld()
    account = core.holder("n@mail.example.com", deleting=True)
    account.address = None
    core.sweep(row("m@mail.example.com", inbox_type="COLDSEND"))
    assert core.step(account).reason is Reason.ADDRESS_CONFLICT
    assert deletes(core) == []


@pytest.mark.parametrize(
    ("changes", "secret", "shown", "replaced"),
    [
        ({}, "hmac-of-one", {}, False),
        ({"displayName": "Joe"}, "hmac-of-one", {}, True),
        ({"smtp": {"host": "mail.company.com", "passwordSecretRef": {"name": "mail"}}}, "hmac-of-one", {}, True),
        ({"smtp": {"passwordSecretRef": {"name": "another"}}}, "hmac-of-one", {}, False),
        ({}, "hmac-of-two", {}, True),
        ({}, "made-with-another-key", {}, False),
        ({"displayName": "Joe"}, "hmac-of-one", {"display_name": "Joe"}, False),
        ({}, "hmac-of-one", {"display_name": "Trimmed"}, False),
        ({}, "hmac-of-one", {"daily_limit": 10}, False),
        ({}, "hmac-of-one", {"overall_status": "DISABLED", "inbox_type": "OUTLOOK_365"}, False),
    ],
    ids=[
        "nothing",
        "name",
        "server",
        "same_value_elsewhere",
        "secret",
        "digest_of_another_key",
        "name_that_is_shown",
        "shown_name",
        "shown_limit",
        "shown_status",
    ],
)
def test_rule_21_only_what_differs_from_what_was_sent_is_a_cause_to_recreate(
    changes: dict[str, Any], secret: str, shown: dict[str, Any], replaced: bool
) -> None:
    core = CoreWorld()
    account = core.holder(updatePolicy="Recreate", dailyLimit=50)
    core.sweep(row(**{"daily_limit": 50, **shown}))
    account.credentials = Credentials(secret)
    core.change(account, updatePolicy="Recreate", **{"dailyLimit": 50, **changes})
    assert (deletes(core) == ["inbox-1"]) == replaced


def test_rule_21_what_changes_while_a_create_is_under_way_differs_from_what_was_sent() -> None:
    core, account = asked_for()
    create = core.ask(Operation.CREATE_SMTP, account)
    core.change(account, updatePolicy="Recreate", displayName="Joe")
    core.answer(create, Created(row()))
    assert deletes(core) == ["inbox-1"]


@pytest.mark.parametrize(
    "value", [None, {"other": "one"}, {"password": "o\u00a0ne"}], ids=["gone", "no_key", "invalid"]
)
def test_rule_21_no_inbox_is_deleted_whose_secret_cannot_be_used_any_more(value: dict[str, str] | None) -> None:
    simulation = Simulation()
    running(simulation)
    uid = simulation.apply("sales", "one", ANN, updatePolicy="Recreate")
    simulation.wait(60.0)
    simulation.cluster.write_secret("sales", SECRET, value)
    simulation.edit(uid, displayName="Joe")
    simulation.wait(60.0)
    assert [inbox.display_name for inbox in simulation.remote.at(ANN)] == ["Jane"]
    simulation.rotate("sales", "two")
    simulation.wait(60.0)
    assert [inbox.display_name for inbox in simulation.remote.at(ANN)] == ["Joe"]


def test_rule_21_what_only_coldsend_shows_is_drifted() -> None:
    core = CoreWorld()
    account = core.holder(updatePolicy="Recreate", dailyLimit=50)
    core.sweep(row(daily_limit=10))
    assert core.says(account)["Synced"][:2] == ("False", "Drifted")
    assert not core.operations()


def test_rule_21_without_what_was_sent_the_present_spec_counts_as_sent() -> None:
    core = CoreWorld()
    status = {"inboxID": "inbox-1", "origin": "Adopted"}
    account = core.account(status=status, marked=START, updatePolicy="Recreate", displayName="Joe")
    account.credentials = Credentials("hmac-of-two")
    core.sweep(row())
    assert deletes(core) == []
    assert core.says(account)["CredentialsCurrent"][:2] == ("Unknown", "CredentialsUnknown")


def replace_once(core: CoreWorld, account: Account, inbox_id: str, **shown: Any) -> None:
    """ColdSend deletes the inbox and makes it again."""
    old = account.stored.inbox_id or ""
    core.answer(core.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=(old,)), Deleted())
    core.get(account)
    core.patch(account)
    address = account.address or ""
    core.search(account)
    core.answer(core.ask(Operation.CREATE_SMTP, account), Created(row(address, inbox_id, made=core.now, **shown)))
    applied = account.stored.applied
    assert applied is not None
    assert applied.spec_hash == account.desired.spec.hash


def test_rule_21_a_value_that_coldsend_clamps_is_replaced_once_and_never_again() -> None:
    core = CoreWorld()
    account = core.holder(updatePolicy="Recreate", dailyLimit=50)
    core.sweep(row(daily_limit=50))
    core.change(account, updatePolicy="Recreate", dailyLimit=2000)
    assert deletes(core) == ["inbox-1"]
    replace_once(core, account, "inbox-2", daily_limit=500)
    core.wait(700.0)
    core.sweep(row(inbox_id="inbox-2", made=START, daily_limit=500))
    assert deletes(core) == []
    assert core.says(account)["Synced"][1] == "Drifted"


def sharing(core: CoreWorld, count: int, **around: Any) -> list[Account]:
    """Accounts of one Secret, whose value has changed since it was sent."""
    accounts = [
        core.holder(f"{number:02}@company.com", f"inbox-{number}", updatePolicy="Recreate", **around)
        for number in range(count)
    ]
    core.wait(ROLLOUT_SECONDS)
    for account in accounts:
        account.credentials = Credentials("hmac-of-two")
    show(core, accounts)
    return accounts


def show(core: CoreWorld, accounts: list[Account]) -> None:
    held = [account for account in accounts if account.stored.inbox_id and account.deleted_at is None]
    core.show(*held)
    core.workspace.touch_everything()
    core.wait(5.0)


def chosen(core: CoreWorld, accounts: list[Account]) -> list[Account]:
    return [account for account in accounts if core.step(account).action is Action.DELETE]


def test_rule_22_of_those_that_share_a_secret_one_is_replaced_first() -> None:
    core = CoreWorld()
    accounts = sharing(core, 30)
    assert len(chosen(core, accounts)) == 1
    assert len(deletes(core)) == 1


@pytest.mark.parametrize(("unavailable", "at_a_time"), [(Unavailable(), 3), (Unavailable(number=7), 7)])
def test_rule_22_once_the_first_has_an_inbox_again_max_unavailable_follow(
    unavailable: Unavailable, at_a_time: int
) -> None:
    core = CoreWorld(
        policy=Policy(batches={"batch-1": BatchSettings(unavailable=unavailable)}, brake=Threshold(percent=100))
    )
    accounts = sharing(core, 30, batch="batch-1")
    (first,) = chosen(core, accounts)
    core.answer(core.ask(Operation.DELETE_ACCOUNT, first, inbox_ids=(first.stored.inbox_id,)), Deleted())
    core.now += 1.0
    show(core, accounts)
    assert chosen(core, accounts) == []
    assert core.patch(first) is Action.FORGET
    core.workspace.touch_everything()
    assert chosen(core, accounts) == []
    core.search(first)
    core.answer(core.ask(Operation.CREATE_SMTP, first), Created(row(first.address or "", "inbox-new", made=core.now)))
    show(core, accounts)
    assert len(chosen(core, accounts)) == at_a_time


def test_rule_22_children_that_have_not_got_the_new_template_yet_do_not_open_a_share() -> None:
    """A batch changes its children one after the other."""
    policy = Policy(batches={"batch-1": BatchSettings(unavailable=Unavailable(number=7))}, brake=Threshold(percent=100))
    core = CoreWorld(policy=policy)
    accounts = [
        core.holder(f"{number:02}@company.com", f"inbox-{number}", updatePolicy="Recreate", batch="batch-1")
        for number in range(30)
    ]
    show(core, accounts)
    core.wait(3600.0)
    for account in accounts[:10]:
        core.change(account, account.address or "", updatePolicy="Recreate", batch="batch-1", displayName="Joe")
        core.wait(0.1)
    assert len(chosen(core, accounts)) == 1


def test_rule_22_a_restart_opens_no_second_share() -> None:
    core = CoreWorld()
    core.account("gone@company.com", marked=START, updatePolicy="Recreate")  # its inbox was deleted by the run before
    accounts = sharing(core, 30)
    assert chosen(core, accounts) == []


def test_rule_22_an_inbox_that_coldsend_does_not_show_counts_as_one_that_is_being_replaced() -> None:
    core = CoreWorld()
    accounts = sharing(core, 30)
    core.show(*accounts[1:])
    assert chosen(core, accounts) == []
    show(core, accounts)
    assert len(chosen(core, accounts)) == 1


def test_rule_22_one_that_waits_says_so() -> None:
    core = CoreWorld()
    accounts = sharing(core, 3)
    waiting = next(account for account in accounts if account not in chosen(core, accounts))
    assert core.step(waiting).reason is Reason.RECREATING
    assert "maxUnavailable" in core.step(waiting).message


@pytest.mark.parametrize(
    ("stopped", "says"),
    [
        ({"deletionProtection": True}, Reason.DELETION_HELD),
        ({"annotations": {PAUSED_ANNOTATION: "true"}}, Reason.RECONCILIATION_PAUSED),
    ],
    ids=["protected", "paused"],
)
def test_rule_22_one_whose_inbox_a_person_keeps_takes_no_turn_from_the_others(
    stopped: dict[str, Any], says: Reason
) -> None:
    core = CoreWorld()
    accounts = sharing(core, 3)
    (first,) = chosen(core, accounts)
    core.change(first, first.address or "", updatePolicy="Recreate", **stopped)
    assert len(chosen(core, accounts)) == 1
    assert core.step(first).reason is says


def test_rule_22_one_that_never_had_an_inbox_keeps_no_other_from_its_turn() -> None:
    core = CoreWorld()
    claimant = core.account("00@company.com", name="claimant", updatePolicy="Recreate")
    accounts = sharing(core, 3)
    assert core.step(claimant).reason is Reason.ADDRESS_CONFLICT
    assert len(chosen(core, accounts)) == 1


def test_rule_22_deletions_for_replacements_count_in_the_brake() -> None:
    policy = Policy(brake=Threshold(number=5), batches={"batch-1": BatchSettings(unavailable=Unavailable(number=25))})
    core = CoreWorld(policy=policy)
    accounts = sharing(core, 30, batch="batch-1")
    accounts[0].credentials = Credentials("hmac-of-one")
    core.workspace.touch_everything()
    core.wait(5.0)
    assert {core.step(account).reason for account in accounts[1:]} == {Reason.DELETION_HELD, Reason.RECREATING}
    assert deletes(core) == []


def test_rule_23_a_deletion_is_booked_before_its_call_leaves() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "one", ANN)
    running(simulation, 5.0)
    simulation.delete(uid)
    booking = reach(simulation, "kube", "configmaps")
    assert pending(simulation, "coldsend", "delete") is None
    finish(simulation, booking)
    reach(simulation, "coldsend", "delete")
    stored = str(simulation.cluster.config_maps)
    assert '"sales",1]' in stored


def test_rule_23_held_deletions_leave_once_they_are_approved() -> None:
    core = CoreWorld()
    accounts = [core.holder(f"{number}@company.com", f"inbox-{number}", deleting=True) for number in range(12)]
    core.show(*accounts)
    core.wait(5.0)
    assert {core.step(account).reason for account in accounts} == {Reason.DELETION_HELD}
    approved = {"coldsend.pro/approve-deletion": "true"}
    core.change(accounts[3], accounts[3].address or "", deleting=True, annotations=approved)
    assert deletes(core) == ["inbox-3"]


def with_own_key() -> tuple[Simulation, FakeColdSend, str]:
    """An object whose key stands in a Secret beside it, and its workspace."""
    simulation = Simulation()
    other = simulation.remotes[OTHER_KEY] = FakeColdSend(simulation.clock)
    simulation.remote, simulation.remotes["cs_live_simulated"] = other, simulation.remote
    simulation.cluster.write_secret("sales", "key", {"apiKey": OTHER_KEY})
    uid = simulation.apply("sales", "one", ANN, apiKeySecretRef={"name": "key"})
    running(simulation, 5.0)
    return simulation, other, uid


def test_rule_26_a_deletion_whose_secret_is_gone_uses_the_key_in_memory() -> None:
    simulation, other, uid = with_own_key()
    simulation.cluster.write_secret("sales", "key", None)
    simulation.wait(700.0)
    simulation.delete(uid)
    simulation.wait(10.0)
    assert other.live() == []
    assert simulation.uids == []


def without_any_key(*, terminating: bool) -> tuple[Simulation, FakeColdSend, str]:
    """The Secret went while no operator ran."""
    simulation, other, uid = with_own_key()
    simulation.crash()
    simulation.cluster.write_secret("sales", "key", None)
    if terminating:
        simulation.cluster.terminate("sales")
    simulation.delete(uid)
    running(simulation, 60.0)
    return simulation, other, uid


@pytest.mark.parametrize(
    ("terminating", "way_out"),
    [(True, "accepts no new Secrets: provide the same key elsewhere"), (False, "Restore the key")],
)
def test_rule_26_without_a_key_the_message_offers_what_can_be_done(terminating: bool, way_out: str) -> None:
    simulation, other, uid = without_any_key(terminating=terminating)
    message = simulation.ready(uid)[2]
    assert way_out in message
    assert "force-orphan" in message
    assert ("Restore the key" in message) is not terminating
    assert len(other.live()) == 1


def test_rule_26_a_key_of_the_same_workspace_elsewhere_ends_the_deletion() -> None:
    simulation, other, _ = without_any_key(terminating=True)
    simulation.cluster.write_secret("support", "key", {"apiKey": OTHER_KEY})
    simulation.apply("support", "helper", "helper@company.com", apiKeySecretRef={"name": "key"})
    simulation.wait(120.0)
    assert [inbox.address for inbox in other.live()] == ["helper@company.com"]


def test_rule_26_a_key_of_another_workspace_is_not_used_for_a_deletion() -> None:
    simulation, other, uid = without_any_key(terminating=False)
    simulation.apply("support", "plain", "plain@company.com")
    simulation.wait(60.0)
    assert simulation.ready(uid)[1] == "SecretNotFound"
    assert len(other.live()) == 1
