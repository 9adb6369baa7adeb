"""COLDSEND_FREEZE: looks and writes to Kubernetes go on, nothing is written to ColdSend, nothing is lost."""

from coldsend_operator.core.decide import still_due
from coldsend_operator.core.model.calls import Operation, Scope
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.resources.names import ACCOUNT_KIND
from coldsend_operator.settings import Settings
from tests.core.rules.watching import play_until, running
from tests.support.core_world import ANN, BOB, CoreWorld, row
from tests.support.process import settings
from tests.support.simulation import Simulation

WRITES = frozenset(each for each in Operation if each.scope in {Scope.CREATE, Scope.DELETE, Scope.MAIL})


def frozen_core() -> CoreWorld:
    return CoreWorld(policy=Policy(freeze=True))


def test_a_creation_waits_and_says_so() -> None:
    core = frozen_core()
    account = core.account()
    core.sweep()
    assert not WRITES & set(core.operations())
    assert core.says(account)["Ready"][:2] == ("False", "Frozen")
    assert "COLDSEND_FREEZE" in core.says(account)["Ready"][2]


def test_a_deletion_waits_and_one_that_leaves_the_inbox_goes() -> None:
    core = frozen_core()
    deleted = core.holder(deleting=True)
    orphaned = core.holder(BOB, "inbox-2", deleting=True, deletionPolicy="Orphan")
    never = core.account("new@company.com", deleting=True)
    core.sweep(row(), row(BOB, "inbox-2"))
    core.wait(5.0)
    assert core.step(deleted).action is Action.WAIT
    assert core.says(deleted)["Ready"][:2] == ("False", "Frozen")
    assert core.step(orphaned).action is Action.REMOVE_FINALIZER
    assert core.step(never).action is Action.WAIT  # it has no finalizer of ours: Kubernetes lets it go
    assert not WRITES & set(core.operations())


def test_a_replacement_waits_and_the_inbox_stays_ready() -> None:
    core = frozen_core()
    account = core.holder(updatePolicy="Recreate", applied={"specHash": "other.other"})
    core.sweep(row())
    assert core.says(account)["Synced"][:2] == ("False", "Frozen")
    assert core.says(account)["Ready"][:2] == ("True", "Active")


def test_a_test_mail_waits_and_its_intent_is_not_stored() -> None:
    core = frozen_core()
    account = core.holder(testEmail={"requestID": "1", "recipient": "ops@company.com"})
    core.sweep(row())
    assert core.says(account)["Synced"][:2] == ("False", "Frozen")
    assert account.stored.mail is None
    core.workspace.policy.freeze = False
    core.step(account)
    assert Operation.SEND_TEST_EMAIL in core.operations()


def test_what_is_as_spec_asks_is_mirrored_as_ever() -> None:
    core = frozen_core()
    account = core.holder()
    core.sweep(row(overall_status="PAUSED"))
    assert core.says(account)["Ready"][:2] == ("False", "Paused")
    assert core.says(account)["Synced"][:2] == ("True", "InSync")


def test_a_call_that_was_prepared_does_not_leave_any_more() -> None:
    core = CoreWorld()
    new, old = core.account(), core.holder(BOB, "inbox-2", deleting=True)
    core.sweep(row(BOB, "inbox-2"))
    calls = [core.ask(Operation.CREATE_SMTP, new), core.ask(Operation.DELETE_ACCOUNT, old, inbox_ids=("inbox-2",))]
    assert all(still_due(each, call, 1, core.workspace) for each, call in zip((new, old), calls, strict=True))
    core.workspace.policy.freeze = True
    assert not any(still_due(each, call, 1, core.workspace) for each, call in zip((new, old), calls, strict=True))


def test_a_job_under_way_is_followed_to_its_end() -> None:
    simulation = Simulation(item_seconds=5.0)
    running(simulation)
    addresses = {f"a{number}@company.com" for number in range(6)}
    for address in addresses:
        simulation.apply("sales", address[:2], address)
    play_until(simulation, lambda: simulation.remote.jobs)
    simulation.wait(2.0)
    restart(simulation, settings(freeze=True))
    simulation.wait(300.0)
    made = {inbox.address for inbox in simulation.remote.live()}
    shown = [
        raw["spec"]["emailAddress"] for raw in simulation.cluster.of_kind(ACCOUNT_KIND) if raw["status"].get("inboxID")
    ]
    assert len(made) > 1
    assert sorted(shown) == sorted(made)


def test_nothing_is_lost_when_the_freeze_ends() -> None:
    simulation = Simulation()
    running(simulation)
    old = simulation.apply("sales", "old", BOB)
    simulation.wait(30.0)
    restart(simulation, settings(freeze=True))
    before = [inbox.inbox_id for inbox in simulation.remote.live()]
    simulation.apply("sales", "ann", ANN, testEmail={"requestID": "1", "recipient": "ops@company.com"})
    simulation.delete(old)
    simulation.list_in_batch("sales", "pool", ["c@company.com", "d@company.com"])
    simulation.wait(3 * 3600.0)
    assert [inbox.inbox_id for inbox in simulation.remote.live()] == before
    restart(simulation, settings())
    simulation.wait(600.0)
    assert {inbox.address for inbox in simulation.remote.live()} == {ANN, "c@company.com", "d@company.com"}
    assert len(simulation.remote.mails) == 1
    simulation.check()


def restart(simulation: Simulation, changed: Settings) -> None:
    simulation.crash()
    simulation.settings = changed
    simulation.start()
