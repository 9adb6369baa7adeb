"""A Secret that the API server does not give costs those that reference it, and nobody else (rule 38)."""

from typing import Any

from coldsend_operator.kube.errors import Unreachable
from tests.core.rules.watching import reach, running
from tests.support.simulation import SECRET, Simulation

LOST_KEY = Unreachable("unable to transform: no matching key", status=500)


def smtp(secret: str) -> dict[str, Any]:
    return {"smtp": {"passwordSecretRef": {"name": secret}}}


def test_that_one_secret_that_cannot_be_read_keeps_no_other_out_of_a_bulk() -> None:
    simulation = Simulation()
    simulation.cluster.refuses["secrets/lost"] = LOST_KEY
    evil = simulation.apply("sales", "evil", "evil@company.com", **smtp("lost"))
    for number in range(5):
        simulation.apply("sales", f"a{number}", f"a{number}@company.com")
    running(simulation, 120.0)
    assert sum(len(simulation.remote.at(f"a{number}@company.com")) for number in range(5)) == 5
    _, reason, message = simulation.ready(evil)
    assert (reason, "HTTP 500" in message) == ("SecretNotFound", True)
    simulation.cluster.refuses.clear()
    simulation.cluster.write_secret("sales", "lost", {"password": "one"})
    simulation.wait(60.0)
    assert len(simulation.remote.at("evil@company.com")) == 1


def test_that_an_inbox_whose_secret_cannot_be_read_any_more_says_what_was_known() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "one", "a@company.com")
    running(simulation, 60.0)
    simulation.cluster.refuses[f"sales/secrets/{SECRET}"] = LOST_KEY
    simulation.wait(3600.0)
    assert simulation.says(uid)["CredentialsCurrent"][1] == "SecretUnchanged"


def test_that_a_key_that_cannot_be_read_does_not_keep_the_operator_from_starting() -> None:
    simulation = Simulation()
    simulation.cluster.refuses["secrets/lost"] = LOST_KEY
    evil = simulation.apply("support", "evil", "evil@company.com", apiKeySecretRef={"name": "lost"})
    simulation.apply("sales", "victim", "victim@company.com")
    process = running(simulation, 400.0)
    assert process.operator.ready
    assert len(simulation.remote.at("victim@company.com")) == 1
    _, reason, message = simulation.ready(evil)
    assert (reason, "HTTP 500" in message) == ("SecretNotFound", True)


def test_that_a_job_is_polled_after_a_restart_though_a_secret_of_it_cannot_be_read() -> None:
    simulation = Simulation(item_seconds=30.0)
    for number in range(3):
        simulation.apply("sales", f"a{number}", f"a{number}@company.com", **smtp("mine"))
    simulation.cluster.write_secret("sales", "mine", {"password": "one"})
    running(simulation, 20.0)
    assert simulation.process is not None
    assert simulation.process.loops[-1].workspace.jobs
    simulation.crash()
    simulation.cluster.refuses["secrets/mine"] = LOST_KEY
    running(simulation)
    reach(simulation, "coldsend", "poll")


def test_that_many_missing_secrets_flood_nothing_and_keep_nobody_waiting() -> None:
    simulation = Simulation()
    process = running(simulation)
    for number in range(400):
        simulation.apply("support", f"m{number}", f"m{number}@company.com", **smtp(f"gone-{number}"))
    simulation.apply("sales", "victim", "victim@company.com", **smtp("late"))
    simulation.wait(600.0)
    before = simulation.cluster.reads
    go_by_seconds(simulation, 60)
    assert simulation.cluster.reads - before < 1_600  # 20 a second; each in 10 s would be 2,400
    simulation.cluster.write_secret("sales", "late", {"password": "one"})
    go_by_seconds(simulation, 15)
    assert len(simulation.remote.at("victim@company.com")) == 1
    assert process.operator.alive


def go_by_seconds(simulation: Simulation, seconds: int) -> None:
    for _ in range(seconds):
        simulation.pass_time(1.0)
        simulation.drain()
