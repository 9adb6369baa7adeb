"""`coldsend.pro/reconcile` looks again; `coldsend.pro/credentials-current` vouches for the Secret (core.decide)."""

from coldsend_operator.core.model.account import Credentials
from coldsend_operator.resources.names import CREDENTIALS_CURRENT_ANNOTATION, RECONCILE_ANNOTATION
from tests.core.rules.watching import running
from tests.support.core_world import CoreWorld, held
from tests.support.simulation import Simulation

ANN = "ann@company.com"


def test_a_new_value_of_reconcile_alone_accepts_no_secret() -> None:
    simulation, uid = _rotated()
    before = _applied(simulation, uid)
    simulation.annotate(uid, RECONCILE_ANNOTATION, "1")
    simulation.wait(30.0)
    assert simulation.status(uid)["lastReconcileRequest"] == "1"
    assert _applied(simulation, uid) == before
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretChanged"


def test_a_persons_word_makes_the_secret_count_as_what_coldsend_has() -> None:
    simulation, uid = _rotated()
    before = _applied(simulation, uid)
    simulation.annotate(uid, CREDENTIALS_CURRENT_ANNOTATION, "1")
    simulation.wait(30.0)
    assert simulation.status(uid)["lastCredentialsCurrentRequest"] == "1"
    assert _applied(simulation, uid) != before
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretUnchanged"
    assert len(simulation.remote.inboxes) == 1


def test_a_word_that_was_given_holds_for_no_later_secret_and_over_no_restart() -> None:
    simulation, uid = _rotated()
    simulation.annotate(uid, CREDENTIALS_CURRENT_ANNOTATION, "1")
    simulation.wait(30.0)
    simulation.crash()
    simulation.rotate("sales", "three")
    running(simulation, 30.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretChanged"


def test_after_a_start_a_changed_secret_stays_told_until_it_is_read() -> None:
    told = {
        "type": "CredentialsCurrent",
        "status": "False",
        "reason": "SecretChanged",
        "message": "The Secret has changed.",
    }
    core = CoreWorld()
    account = core.holder(status={"overallStatus": "ACTIVE", "conditions": [told]})
    account.credentials = None  # not read yet
    core.show(account)
    says = core.says(account)
    assert says["Synced"] == says["CredentialsCurrent"] == ("False", "SecretChanged", "The Secret has changed.")
    account.credentials = Credentials("hmac-of-one")
    assert core.says(account)["Synced"][1] == "InSync"


def test_a_word_that_stood_there_before_the_inbox_was_made_says_nothing_of_a_later_secret() -> None:
    simulation = Simulation(changes={"secret_check_seconds": 1.0})
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.annotate(uid, CREDENTIALS_CURRENT_ANNOTATION, "1")
    simulation.wait(30.0)
    simulation.rotate("sales", "two")
    simulation.wait(30.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretChanged"


def test_the_condition_of_an_adopted_inbox_says_on_whose_word_it_stands() -> None:
    simulation = Simulation(changes={"secret_check_seconds": 1.0})
    running(simulation)
    simulation.remote.make_by_hand(ANN)
    uid = simulation.apply("sales", "ann", ANN, adoptionPolicy="Adopt")
    simulation.wait(30.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "CredentialsUnknown"
    simulation.annotate(uid, CREDENTIALS_CURRENT_ANNOTATION, "1")
    simulation.wait(30.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretUnchanged"
    assert "coldsend.pro/credentials-current says" in simulation.says(uid)["CredentialsCurrent"][2]


def test_an_adopted_inbox_says_from_its_first_status_on_that_its_password_is_unknown() -> None:
    core, account = held(applied={"credentialsHash": None}, origin="Adopted")
    account.credentials = None
    assert core.says(account)["CredentialsCurrent"][:2] == ("Unknown", "CredentialsUnknown")


def test_a_secret_that_is_missing_is_waited_for_and_then_accepted() -> None:
    simulation, uid = _rotated()
    simulation.take_password("sales")
    simulation.annotate(uid, CREDENTIALS_CURRENT_ANNOTATION, "1")
    simulation.wait(30.0)
    assert "lastCredentialsCurrentRequest" not in simulation.status(uid)
    simulation.rotate("sales", "three")
    simulation.wait(60.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretUnchanged"


def test_an_annotation_that_changes_all_the_time_is_paced() -> None:
    simulation, uid = _rotated()
    before = simulation.cluster.version
    for number in range(100):
        simulation.annotate(uid, CREDENTIALS_CURRENT_ANNOTATION, str(number))
        simulation.wait(0.5)
    assert simulation.cluster.version - before < 100 + 15
    simulation.wait(90.0)
    assert simulation.status(uid)["lastCredentialsCurrentRequest"] == "99"


def _rotated() -> tuple[Simulation, str]:
    """An inbox that was created, and a Secret that was changed since."""
    simulation = Simulation(changes={"secret_check_seconds": 1.0})
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.wait(30.0)
    simulation.rotate("sales", "two")
    simulation.wait(30.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretChanged"
    return simulation, uid


def _applied(simulation: Simulation, uid: str) -> str:
    digest: str = simulation.status(uid)["lastApplied"]["credentialsHash"]
    return digest
