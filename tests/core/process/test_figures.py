"""What Prometheus is shown of accounts and inboxes."""

from coldsend_operator import metric_names as names
from coldsend_operator.core.model import transitions
from coldsend_operator.process.metrics_snapshot import snapshot
from tests.core.rules.watching import reach, running
from tests.support.simulation import SECRET, Simulation


def test_that_conditions_are_counted_and_inboxes_by_who_manages_them() -> None:
    simulation = Simulation()
    for name in ("ann", "bob"):
        simulation.apply("sales", name, f"{name}@company.com")
    simulation.apply("support", "eve", "eve@company.com", managementPolicy="Observe")
    for name in ("eve", "nobody", "none"):
        simulation.remote.make_by_hand(f"{name}@company.com")
    process = running(simulation, 60.0)
    figures = snapshot(process.operator.controller, {}, simulation.clock(), with_scores=False, with_domains=False)
    assert figures[names.CONDITIONS]["sales", "Ready", "True", "Active"] == 2
    assert figures[names.CONDITIONS]["support", "Ready", "True", "Active"] == 1
    assert figures[names.CONDITIONS]["sales", "CredentialsCurrent", "True", "SecretUnchanged"] == 2
    assert figures[names.INBOXES] == {("default", "true"): 2, ("default", "false"): 3}
    simulation.cluster.write_secret("sales", SECRET, {"password": "another"})
    simulation.wait(700.0)
    figures = snapshot(process.operator.controller, {}, simulation.clock(), with_scores=False, with_domains=False)
    assert figures[names.CONDITIONS]["sales", "CredentialsCurrent", "False", "SecretChanged"] == 2
    assert ("sales", "CredentialsCurrent", "True", "SecretUnchanged") not in figures[names.CONDITIONS]


def test_that_no_word_of_a_status_becomes_a_label_unless_it_is_known() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", "ann@company.com")
    process = running(simulation, 60.0)
    controller = process.operator.controller
    conditions = [{**each, "reason": "OfAnother"} for each in simulation.status(uid)["conditions"]]
    transitions.status_kept(controller.accounts[uid], {"conditions": conditions})
    figures = snapshot(controller, {}, simulation.clock(), with_scores=False, with_domains=False)
    assert not any("OfAnother" in labels for metric in (names.ACCOUNTS, names.CONDITIONS) for labels in figures[metric])
    assert sum(figures[names.ACCOUNTS].values()) == 1


def test_there_is_no_age_before_the_first_sweep() -> None:
    simulation = Simulation()
    simulation.apply("sales", "ann", "ann@company.com")
    process = running(simulation)
    reach(simulation, "coldsend", "")
    figures = snapshot(process.operator.controller, {}, simulation.clock(), with_scores=False, with_domains=False)
    assert names.BUDGET_LIMIT in figures
    assert names.SWEEP_AGE not in figures


def test_that_a_leader_that_cannot_renew_its_lease_is_not_counted_as_one() -> None:
    simulation = Simulation()
    process = running(simulation, 60.0)
    assert process.operator.figures()[names.LEADER] == {(): True}
    process.leadership.renewed = False
    assert process.operator.figures()[names.LEADER] == {(): False}
    process.leadership.renewed = True
    assert process.operator.figures()[names.LEADER] == {(): True}


def test_that_a_standby_is_not_counted_as_the_leader() -> None:
    simulation = Simulation()
    running(simulation, 60.0)
    simulation.stand_by()
    simulation.wait(60.0)
    assert simulation.standby is not None
    assert simulation.standby.operator.figures()[names.LEADER] == {(): False}
