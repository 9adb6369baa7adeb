"""A write of status whose response is lost is known by the watch event that shows it."""

from tests.support.remote import Fault
from tests.support.simulation import Simulation

POLLED_WITHIN = 60.0


def test_rule_08_a_job_is_polled_soon_though_no_write_of_its_id_had_a_response() -> None:
    simulation = Simulation(item_seconds=1.0)
    simulation.start()
    simulation.wait(1.0)
    uids = [simulation.apply("sales", name, f"{name}@company.com") for name in ("ann", "bob")]
    while not simulation.remote.jobs:
        simulation.pass_time(0.25)
        simulation.step(0)
    for _ in uids:
        simulation.cluster_fault(Fault.LOST_AFTER)
    simulation.drain()
    assert all(simulation.status(uid)["job"]["state"] == "Running" for uid in uids)
    simulation.wait(POLLED_WITHIN)
    assert [simulation.ready(uid)[0] for uid in uids] == ["True", "True"]
