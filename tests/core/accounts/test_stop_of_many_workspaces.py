"""A stop waits for what is under way in all workspaces at once: the process must end within 20 s."""

from tests.core.rules.watching import pending, running
from tests.support.simulation import Simulation

KEYS = ("cs_live_one", "cs_live_two", "cs_live_three")


def test_that_creates_without_an_answer_in_three_workspaces_delay_a_stop_only_once() -> None:
    simulation = Simulation()
    for number, key in enumerate(KEYS):
        simulation.add_workspace(key, "sales", f"key-{number}")
        simulation.apply("sales", f"one-{number}", f"{number}@company.com", apiKeySecretRef={"name": f"key-{number}"})
    process = running(simulation)
    for number in range(len(KEYS)):
        play_until_others(simulation, f"{number}@company.com")
    task = process.stop()
    begun = simulation.clock()
    while not task.done() and simulation.clock() < begun + 20.0:
        simulation.pass_time(1.0)
        for call in list(process.traffic.movable):
            if call.client == "kube" or not call.what.startswith("create"):
                simulation.go_on(call)
    assert task.done()


def play_until_others(simulation: Simulation, address: str) -> None:
    """Let everything happen but the creates."""

    def under_way() -> bool:
        assert simulation.process is not None
        for call in list(simulation.process.traffic.movable):
            if call.client == "kube" or not call.what.startswith("create"):
                simulation.go_on(call)
        simulation.process.see()
        while simulation.process.events["SenderAccount"]:
            simulation.process.deliver()
        simulation.pass_time(0.1)
        return pending(simulation, "coldsend", f"create {address}") is not None

    for _ in range(500):
        if under_way():
            return
    raise AssertionError("it does not come to that")
