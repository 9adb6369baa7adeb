"""The rules of "Whose inbox is it": 12 to 15."""

from typing import Any

import pytest

from coldsend_operator.core.decide import decide_changed, still_due
from coldsend_operator.core.model.answers import Created
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.hashes import workspace_digest
from coldsend_operator.core.model.policy import Limits, Policy, Threshold
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.merging import merge
from coldsend_operator.kube.errors import KubeError
from tests.core.rules.watching import play_until, running
from tests.support.clock import START, rfc3339
from tests.support.cluster import Raw
from tests.support.core_world import ANN, CoreWorld, asked_for, held, row
from tests.support.process import API_KEY
from tests.support.remote import DOMAIN
from tests.support.simulation import Simulation, spec_of

WRITES = {
    Operation.CREATE_SMTP,
    Operation.CREATE_SMTP_BULK,
    Operation.DELETE_ACCOUNT,
    Operation.DELETE_ACCOUNTS,
    Operation.SEND_TEST_EMAIL,
}
MAIL = {"recipient": "ops@example.com", "requestID": "1"}
OTHER_KEY = "cs_live_other"
UNREAD = KubeError("no response in time", reason="TimeoutError")


def test_rule_12_an_observed_inbox_is_never_written_to() -> None:
    core = CoreWorld()
    account = core.account(managementPolicy="Observe", updatePolicy="Recreate", testEmail=MAIL)
    core.sweep(row(display_name="Somebody Else"))
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Observed")
    assert not WRITES & set(core.operations())


@pytest.mark.parametrize("adoption", [{}, {"adoptionPolicy": "Adopt"}], ids=["refuse", "adopt"])
def test_rule_12_an_inbox_that_was_only_observed_stays_when_its_object_goes(adoption: dict[str, str]) -> None:
    core, account = held(origin="Observed", deleting=True, **adoption)
    assert core.step(account).action is Action.REMOVE_FINALIZER


@pytest.mark.parametrize("origin", ["Created", "Adopted"])
def test_rule_12_a_held_inbox_goes_with_its_object(origin: str) -> None:
    core = CoreWorld()
    core.holder(origin=origin, deleting=True)
    core.sweep(row(made=START - 20_000.0))
    core.wait(SETTLE_SECONDS)
    assert Operation.DELETE_ACCOUNT in core.operations()


def test_rule_12_observe_never_claims_an_address() -> None:
    core = CoreWorld()
    core.account(managementPolicy="Observe")
    second = core.account(created=START)
    core.sweep()
    assert core.step(second).action is Action.CREATE


def test_rule_12_an_observed_inbox_is_shown_once_it_exists() -> None:
    core, account = asked_for(managementPolicy="Observe")
    assert core.step(account).reason is Reason.NOT_FOUND
    core.sweep(row())
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Observed")


def test_rule_12_an_observed_inbox_is_shown_when_another_object_has_created_it() -> None:
    core = CoreWorld()
    watching = core.account(managementPolicy="Observe")
    wanting = core.account()
    core.sweep()
    core.answer(core.ask(Operation.CREATE_SMTP, wanting), Created(row()))
    assert (watching.stored.inbox_id, watching.stored.origin) == ("inbox-1", "Observed")


def test_rule_12_from_observe_to_full_an_object_is_as_if_first_seen() -> None:
    core = CoreWorld()
    account = core.account(managementPolicy="Observe")
    core.sweep(row())
    core.change(account)
    assert core.step(account).reason is Reason.ALREADY_EXISTS
    assert (account.stored.inbox_id, account.stored.origin) == (None, None)
    core.change(account, adoptionPolicy="Adopt")
    core.patch(account)
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Adopted")


def test_rule_12_an_object_that_changes_to_observe_holds_its_inbox_again_only_by_adoption() -> None:
    core, account = held()
    core.change(account, managementPolicy="Observe")
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Observed")
    core.change(account)
    assert core.step(account).reason is Reason.ALREADY_EXISTS
    assert account.stored.inbox_id is None


def test_rule_12_a_refused_object_shows_no_inbox_and_mirrors_nothing() -> None:
    simulation = Simulation()
    simulation.remote.make_by_hand(ANN)
    uid = simulation.apply("sales", "one", ANN)
    running(simulation, 5.0)
    status = simulation.status(uid)
    assert simulation.ready(uid)[1] == "AlreadyExists"
    assert not {"inboxID", "overallStatus", "healthScore", "createdAt", "origin", "dailyLimit"} & status.keys()


def test_rule_13_an_inbox_that_an_object_of_any_key_holds_is_never_adopted_by_another() -> None:
    claims = Claims()
    first, second = CoreWorld("digest-1", claims=claims), CoreWorld("digest-2", claims=claims)
    first.holder(namespace="support")
    account = second.account(adoptionPolicy="Adopt")
    second.sweep(row())
    step = second.step(account)
    assert (step.reason, account.stored.inbox_id) == (Reason.ADDRESS_CONFLICT, None)
    assert "ann" not in step.message  # of another namespace: it is not named


def test_rule_13_a_lost_create_is_not_matched_with_an_inbox_that_an_object_of_any_key_holds() -> None:
    claims = Claims()
    first, second = CoreWorld("digest-1", claims=claims), CoreWorld("digest-2", claims=claims)
    first.holder(namespace="support")
    account = second.account(marked=START)
    second.sweep(row(made=START))
    assert (second.step(account).reason, account.stored.inbox_id) == (Reason.PROVISIONING, None)


def test_rule_13_an_inbox_that_is_shown_again_is_left_to_the_object_that_holds_it_by_now() -> None:
    claims = Claims()
    first, second = CoreWorld("digest-1", claims=claims), CoreWorld("digest-2", claims=claims)
    account = second.holder()
    second.miss(account)
    first.holder(namespace="support")
    second.wait(300.0)
    second.sweep(row())
    assert (second.step(account).reason, account.stored.inbox_id) == (Reason.ADDRESS_CONFLICT, None)


def test_rule_13_of_two_objects_that_show_one_inbox_neither_deletes_it() -> None:
    core = CoreWorld()
    first, second = core.holder(), core.holder(name="copy", deleting=True)
    core.sweep(row())
    assert core.step(first).reason is Reason.ADDRESS_CONFLICT
    assert "copy" in core.step(first).message
    assert core.step(second).action is Action.REMOVE_FINALIZER
    assert not WRITES & set(core.operations())


def test_rule_13_a_delete_does_not_leave_when_another_object_shows_the_inbox_meanwhile() -> None:
    core, account = held(deleting=True)
    call = core.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=("inbox-1",))
    assert still_due(account, call, account.desired.generation, core.workspace)
    core.holder(name="copy")
    assert not still_due(account, call, account.desired.generation, core.workspace)


def test_rule_13_both_say_that_they_show_one_inbox() -> None:
    core = CoreWorld()
    accounts = [core.holder(), core.holder(name="copy")]
    core.sweep(row())
    assert [core.says(account)["Synced"][1] for account in accounts] == ["AddressConflict"] * 2


def test_rule_13_keys_whose_lists_share_an_inbox_are_one_workspace_from_then_on() -> None:
    simulation = Simulation()
    simulation.remotes[OTHER_KEY] = simulation.remote
    simulation.cluster.write_secret("sales", "key", {"apiKey": OTHER_KEY})
    simulation.apply("sales", "one", "a@company.com")
    simulation.apply("sales", "two", "b@company.com", apiKeySecretRef={"name": "key"})
    process = running(simulation, 700.0)
    (workspace,) = (loop.workspace for loop in process.loops)
    assert len(workspace.accounts) == 2
    assert workspace.digests == {workspace_digest(API_KEY), workspace_digest(OTHER_KEY)}
    simulation.crash()
    before = simulation.remote.requests
    process = running(simulation)
    play_until(simulation, lambda: process.operator._leading)
    # known from the stored state, before any list
    assert len({account.workspace_digest for account in process.operator.controller.accounts.values()}) == 1
    assert simulation.remote.requests == before


def test_rule_13_what_two_keys_have_spent_and_deleted_is_added_up() -> None:
    policy = Policy(limits=Limits(100, 1000, 0.0), brake=Threshold(number=3))
    first, second = (CoreWorld(digest, policy=policy) for digest in ("digest-1", "digest-2"))
    for core in (first, second):
        for _ in range(4):
            core.sweep()
        for number in range(2):
            core.workspace.brake.ask(f"{core.workspace.digest}-{number}", "sales", START, approved=False)
    merge(first.workspace, second.workspace, START)
    assert first.workspace.budget.available(START) == 100 - 8
    decide_changed(second.workspace, START)
    assert len(first.workspace.brake.holds) == 4


@pytest.mark.parametrize(("namespace", "reason"), [("sales", "Active"), ("support", "Unauthorized")])
def test_rule_14_only_the_listed_namespaces_may_use_the_operators_key(namespace: str, reason: str) -> None:
    simulation = Simulation(changes={"operator_key_namespaces": ("sales",)})
    uid = simulation.apply(namespace, "one", ANN)
    running(simulation, 5.0)
    assert simulation.ready(uid)[1] == reason
    assert len(simulation.remote.inboxes) == (reason == "Active")


def test_rule_14_a_namespace_with_a_key_of_its_own_needs_no_leave() -> None:
    simulation = Simulation(changes={"operator_key_namespaces": ("sales",)})
    other = simulation.add_workspace(OTHER_KEY, "support")
    simulation.apply("support", "one", ANN, apiKeySecretRef={"name": "key"})
    running(simulation, 5.0)
    assert (len(simulation.remote.inboxes), len(other.inboxes)) == (0, 1)


@pytest.mark.parametrize(
    ("namespace", "own_key", "fields", "taken"),
    [
        ("sales", False, {"adoptionPolicy": "Adopt"}, True),
        ("support", False, {"adoptionPolicy": "Adopt"}, False),
        ("support", True, {"adoptionPolicy": "Adopt"}, True),
        ("sales", False, {"managementPolicy": "Observe"}, True),
        ("support", False, {"managementPolicy": "Observe"}, False),
        ("support", True, {"managementPolicy": "Observe"}, True),
    ],
)
def test_rule_14_only_the_listed_namespaces_adopt_or_observe_with_the_operators_key(
    namespace: str, own_key: bool, fields: dict[str, Any], taken: bool
) -> None:
    core = CoreWorld(policy=Policy(adopt_namespaces=frozenset({"sales"})))
    key: dict[str, Any] = {"apiKeySecretRef": {"name": "key"}} if own_key else {}
    account = core.account(namespace=namespace, **fields, **key)
    core.sweep(row())
    core.patch(account)
    assert (account.stored.inbox_id is not None) == taken
    if not taken:
        assert "COLDSEND_ADOPT_NAMESPACES" in core.step(account).message


@pytest.mark.parametrize("setting", ["adopt_namespaces", "operator_key_namespaces"])
def test_rule_14_an_observer_whose_permission_is_withdrawn_shows_the_inbox_no_more(setting: str) -> None:
    simulation = Simulation()
    simulation.remote.make_by_hand(ANN)
    uid = simulation.apply("support", "one", ANN, managementPolicy="Observe")
    running(simulation, 60.0)
    assert "inboxID" in simulation.status(uid)
    simulation.stop()
    simulation.settings = simulation.settings.model_copy(update={setting: ("sales",)})
    running(simulation, 300.0)
    status = simulation.status(uid)
    assert simulation.ready(uid)[1] == "Unauthorized"
    assert not {"inboxID", "overallStatus", "healthScore", "createdAt", "origin", "dailyLimit"} & status.keys()


STRANGE = {"workspace": "digest-of-another"}


@pytest.mark.parametrize("deleting", [False, True])
def test_rule_15_another_workspace_is_not_trusted_by_the_address(deleting: bool) -> None:
    core = CoreWorld()
    account = core.holder(applied=STRANGE, deleting=deleting, updatePolicy="Recreate", displayName="Joe")
    core.sweep(row(inbox_id="inbox-of-a-stranger"))
    core.wait(700.0)
    core.sweep(row(inbox_id="inbox-of-a-stranger"))
    assert core.step(account).reason is Reason.INVENTORY_IMPLAUSIBLE
    assert account.stored.inbox_id == "inbox-1"
    assert not WRITES & set(core.operations())


def test_rule_15_another_workspace_is_trusted_when_the_own_inbox_is_seen_there() -> None:
    core, account = held(applied=STRANGE)
    assert account.stored.applied is not None
    assert account.stored.applied.workspace == "digest-1"
    assert core.says(account)["Synced"][:2] == ("True", "InSync")


def test_rule_15_a_swapped_key_sends_no_password_of_a_new_object_to_a_strangers_workspace() -> None:
    core = CoreWorld()
    core.holder("bob@company.com", "inbox-2", applied=STRANGE)
    account = core.account()
    core.sweep()
    assert core.step(account).reason is Reason.INVENTORY_IMPLAUSIBLE
    assert not WRITES & set(core.operations())


def test_rule_15_an_object_in_deletion_takes_no_inbox_of_a_strangers_workspace_for_its_lost_create() -> None:
    """The key was swapped while no operator ran, and a stranger made an inbox of this address and name."""
    core = CoreWorld()
    core.holder("bob@company.com", "inbox-2", applied=STRANGE)
    account = core.account(marked=START, deleting=True)
    core.now += 1.0
    core.sweep(row(inbox_id="inbox-of-a-stranger", made=START + 0.5))
    assert core.step(account).reason is Reason.INVENTORY_IMPLAUSIBLE
    core.wait(700.0)
    assert account.stored.inbox_id is None
    assert not WRITES & set(core.operations())


def test_rule_15_a_404_of_the_id_in_another_workspace_is_not_trusted() -> None:
    core = CoreWorld()
    account = core.holder(applied=STRANGE)
    core.sweep()
    core.get(account)
    assert core.step(account).reason is Reason.INVENTORY_IMPLAUSIBLE


def test_secrets_are_read_from_the_namespace_of_the_object_only() -> None:
    simulation = Simulation()
    simulation.cluster.write_secret("sales", "private", {"password": "of sales", "apiKey": OTHER_KEY})
    running(simulation)
    password = simulation.apply(
        "support", "thief", "thief@company.com", smtp={"passwordSecretRef": {"name": "private"}}
    )
    key = simulation.apply("support", "spender", "spender@company.com", apiKeySecretRef={"name": "private"})
    simulation.wait(60.0)
    for uid in (password, key):
        assert simulation.ready(uid)[1] == "SecretNotFound"
    assert not simulation.remote.live()


NAMESPACE, KEY = "/namespaces/sales", "/namespaces/sales/secrets/same"
USES_KEY = {"apiKeySecretRef": {"name": "same"}}


def two_of_one_address(path: str, address: str, **spec: Any) -> tuple[Simulation, str, str]:
    """An object of a namespace in which nothing was read yet, and a younger one elsewhere; what is at `path` fails."""
    simulation = Simulation()
    simulation.cluster.write_secret("sales", "same", {"apiKey": API_KEY})
    running(simulation)
    simulation.apply("support", "bob", "bob@company.com")
    simulation.wait(30.0)
    simulation.cluster.refuses[path] = UNREAD
    older = simulation.apply("sales", "ann", address, **spec)
    simulation.drain()
    simulation.pass_time(1.0)
    younger = simulation.apply("support", "ann", address)
    return simulation, older, younger


@pytest.mark.parametrize("address", [ANN, f"ann@{DOMAIN.domain_name}"], ids=["smtp", "native"])
@pytest.mark.parametrize(("path", "spec"), [(NAMESPACE, {}), (KEY, USES_KEY)], ids=["namespace", "key"])
def test_rule_13_the_older_object_is_not_overtaken_before_its_workspace_is_known(
    path: str, spec: Raw, address: str
) -> None:
    simulation, older, younger = two_of_one_address(path, address, **spec)
    simulation.wait(3.0)
    simulation.cluster.refuses.clear()
    simulation.wait(60.0)
    assert simulation.ready(older)[:2] == ("True", "Active")
    assert simulation.ready(younger)[:2] == ("False", "AddressConflict")
    assert len(simulation.remote.at(address)) == 1


@pytest.mark.parametrize(("path", "spec"), [(NAMESPACE, {}), (KEY, USES_KEY)], ids=["namespace", "key"])
def test_rule_13_the_younger_object_goes_on_when_the_older_one_goes_before_its_workspace_was_known(
    path: str, spec: Raw
) -> None:
    simulation, older, younger = two_of_one_address(path, ANN, **spec)
    simulation.wait(1.0)
    simulation.delete(older)
    simulation.wait(1.0)
    assert simulation.ready(younger)[:2] == ("True", "Active")


def test_rule_13_the_younger_object_goes_on_when_the_older_one_no_longer_claims_the_address() -> None:
    simulation, older, younger = two_of_one_address(NAMESPACE, ANN)
    simulation.wait(1.0)
    assert simulation.ready(younger)[:2][0] != "True"
    simulation.edit(older, managementPolicy="Observe")
    simulation.wait(1.0)
    assert simulation.ready(younger)[:2] == ("True", "Active")


def test_rule_13_no_object_waits_long_for_an_older_one_whose_key_cannot_be_read() -> None:
    simulation, _, younger = two_of_one_address(KEY, ANN, **USES_KEY)
    for _ in range(10):
        simulation.wait(1.0)
    assert simulation.ready(younger)[:2] == ("True", "Active")


def test_rule_13_an_older_object_does_not_wait_for_a_younger_one_whose_workspace_is_not_known() -> None:
    simulation = Simulation()
    running(simulation)
    simulation.apply("support", "bob", "bob@company.com")
    simulation.wait(30.0)
    simulation.cluster.refuses[NAMESPACE] = UNREAD
    simulation.apply("sales", "ann", ANN)
    simulation.drain()
    older = simulation.cluster.create("support", "ann", spec_of(ANN), creationTimestamp=rfc3339(START - 60.0))
    simulation.wait(1.0)
    assert simulation.ready(older["metadata"]["uid"])[:2] == ("True", "Active")


def test_rule_13_an_older_object_that_comes_takes_no_address_for_which_a_create_is_under_way() -> None:
    core, younger = asked_for(created=START)
    core.ask(Operation.CREATE_SMTP, younger)
    older = core.account(created=START - 60.0)
    core.wait(1.0)
    assert core.step(older).reason is Reason.ADDRESS_CONFLICT
    assert Operation.CREATE_SMTP not in core.operations()
