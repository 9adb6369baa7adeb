"""Several API keys that lead to one workspace: one sweep, one queue of jobs; what is refused to one harms no other."""

from dataclasses import dataclass, field

from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.hashes import workspace_digest
from coldsend_operator.core.workspace.keys import Keys
from tests.core.rules.watching import running
from tests.support.process import API_KEY, Process
from tests.support.remote import FakeColdSend, Fault, Item
from tests.support.simulation import Simulation

TEAM = "cs_live_team"
OF_TEAM = {"apiKeySecretRef": {"name": "key"}}
HOUR = 3600.0


@dataclass
class OneWorkspace(FakeColdSend):
    """ColdSend as it is seen with several keys, of which some are revoked."""

    revoked: set[str] = field(default_factory=set)
    most_jobs: int = 0

    def arrive(self, key: str = "") -> Failure | None:
        refused = super().arrive(key)
        return Failure(FailureKind.UNAUTHORIZED, "invalid key", 401) if key in self.revoked else refused

    def create_bulk(self, items: list[Item], now: float, fault: Fault = Fault.NONE):  # type: ignore[no-untyped-def,override] # noqa: ANN201 - as above
        answer = super().create_bulk(items, now, fault)
        self.most_jobs = max(self.most_jobs, sum(len(job.results) < job.total for job in self.jobs.values()))
        return answer


def with_team(item_seconds: float = 0.0) -> tuple[Simulation, OneWorkspace]:
    """The operator's own key and that of namespace `support` lead to one workspace."""
    simulation = Simulation()
    remote = OneWorkspace(
        simulation.clock,
        per_minute=simulation.remote.per_minute,
        per_hour=simulation.remote.per_hour,
        item_seconds=item_seconds,
    )
    simulation.remote = simulation.watch.remote = remote
    simulation.remotes |= {API_KEY: remote, TEAM: remote}
    simulation.cluster.write_secret("support", "key", {"apiKey": TEAM})
    return simulation, remote


def merged(simulation: Simulation) -> Process:
    """Both keys have shown that they lead to one workspace."""
    process = running(simulation)
    simulation.apply("sales", "first", "first@company.com")
    simulation.apply("support", "second", "second@company.com", **OF_TEAM)
    simulation.wait(700.0)
    return process


def uid_of(simulation: Simulation, name: str) -> str:
    (uid,) = (raw["metadata"]["uid"] for raw in simulation.cluster.objects.values() if raw["metadata"]["name"] == name)
    return str(uid)


def test_that_two_keys_of_a_workspace_cost_no_more_requests_in_a_quiet_hour_than_one() -> None:
    spent = []
    for keys in (1, 2):
        simulation, remote = with_team()
        running(simulation)
        for number in range(20):
            team = OF_TEAM if keys == 2 and number % 2 else {}
            simulation.apply("support" if number % 2 else "sales", f"a-{number}", f"a{number}@company.com", **team)
        simulation.wait(1200.0)
        before = remote.requests
        simulation.wait(HOUR)
        spent.append(remote.requests - before)
    assert spent[1] <= spent[0] + 1


def test_that_two_keys_of_a_workspace_have_one_job_under_way_like_one_key() -> None:
    simulation, remote = with_team(item_seconds=2.0)
    merged(simulation)
    for number in range(40):
        simulation.apply("sales", f"a-{number}", f"a{number}@company.com")
        simulation.apply("support", f"b-{number}", f"b{number}@company.com", **OF_TEAM)
    simulation.wait(400.0)
    assert len(remote.live()) == 82
    assert remote.most_jobs == 1


def test_that_the_accounts_of_both_keys_end_in_one_workspace_each_with_its_own_key() -> None:
    simulation, _ = with_team()
    process = merged(simulation)
    controller = process.operator.controller
    assert len({account.workspace_digest for account in controller.accounts.values()}) == 1
    assert {account.key for account in controller.accounts.values()} == {
        workspace_digest(API_KEY),
        workspace_digest(TEAM),
    }
    applied = {raw["status"]["lastApplied"]["workspace"] for raw in simulation.cluster.objects.values()}
    assert applied == {workspace_digest(API_KEY), workspace_digest(TEAM)}


def test_that_a_restart_knows_that_both_keys_lead_to_one_workspace_before_the_first_list() -> None:
    simulation, remote = with_team()
    merged(simulation)
    simulation.crash()
    before = remote.requests
    process = running(simulation)
    while not process.operator._leading:
        simulation.step(0)
    assert remote.requests == before
    assert len({account.workspace_digest for account in process.operator.controller.accounts.values()}) == 1


def test_that_a_key_which_is_revoked_costs_only_the_accounts_that_name_it_until_it_is_good_again() -> None:
    simulation, remote = with_team()
    merged(simulation)
    held = uid_of(simulation, "second")
    remote.revoked.add(TEAM)
    waits = simulation.apply("support", "third", "third@company.com", **OF_TEAM)
    goes_on = simulation.apply("sales", "fourth", "fourth@company.com")
    simulation.wait(60.0)
    assert simulation.ready(waits)[1] == "Unauthorized"
    assert simulation.says(held)["Synced"][1] == "Unauthorized"
    assert simulation.ready(goes_on)[1] == "Active"
    simulation.wait(HOUR)
    before = simulation.apply("sales", "fifth", "fifth@company.com")
    simulation.wait(30.0)
    assert simulation.ready(before)[1] == "Active"
    remote.revoked.clear()
    simulation.wait(700.0)
    assert [simulation.says(uid)["Synced"][1] for uid in (waits, held)] == ["InSync", "InSync"]
    assert len(remote.at("third@company.com")) == 1


def test_that_a_revoked_key_is_noticed_though_no_call_of_its_accounts_is_due() -> None:
    simulation, remote = with_team()
    merged(simulation)
    remote.revoked.add(TEAM)
    simulation.wait(2 * simulation.settings.sweep_seconds + 30.0)
    assert simulation.says(uid_of(simulation, "second"))["Synced"][1] == "Unauthorized"
    assert simulation.says(uid_of(simulation, "first"))["Synced"][1] == "InSync"


def test_that_an_account_of_a_merged_workspace_moves_when_its_secret_holds_a_key_of_another_one() -> None:
    simulation, remote = with_team()
    merged(simulation)
    other = simulation.add_workspace("cs_live_other", "support", ids="other")
    simulation.wait(700.0)
    new = simulation.apply("support", "new", "new@company.com", **OF_TEAM)
    simulation.wait(120.0)
    assert simulation.ready(new)[1] == "InventoryImplausible"  # the Secret shows none of its inboxes (rule 40)
    assert other.live() == []
    simulation.cluster.write_secret("support", "key", {"apiKey": TEAM})
    simulation.wait(700.0)
    assert simulation.ready(new)[1] == "Active"
    assert len(remote.at("new@company.com")) == 1


def test_that_lists_take_turns_among_the_keys_that_work() -> None:
    keys = Keys("one")
    keys.place("uid-1", "one")
    keys.place("uid-2", "two")
    assert keys.for_list(Operation.LIST_ACCOUNTS) == "one"
    assert keys.for_list(Operation.LIST_ACCOUNTS, next_turn=True) == "two"
    keys.breaker("two").fail(Operation.LIST_ACCOUNTS, Failure(FailureKind.UNAUTHORIZED, "invalid", 401), 0.0)
    assert keys.for_list(Operation.LIST_ACCOUNTS, next_turn=True) == "one"
    assert keys.to_be_checked(30.0) is None
    assert keys.to_be_checked(61.0) == "two"
