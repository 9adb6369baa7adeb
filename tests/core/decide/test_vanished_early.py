"""Inboxes that vanish soon after they were made: a page of the newest never shows them, so each is asked for itself."""

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Created, Row
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from tests.core.rules.watching import running
from tests.support.core_world import CoreWorld, row
from tests.support.simulation import Simulation

ADDRESSES = tuple(f"{name}@company.com" for name in ("ann", "bob", "cat", "dan"))


def made(core: CoreWorld) -> tuple[list[Account], list[Row]]:
    """Some accounts that were just created, and their rows."""
    accounts = [core.account(address) for address in ADDRESSES]
    rows = [row(address, f"inbox-{number}") for number, address in enumerate(ADDRESSES)]
    core.sweep()
    for account, each in zip(accounts, rows, strict=True):
        core.answer(core.ask(Operation.CREATE_SMTP, account), Created(each))
    return accounts, rows


def test_that_each_is_asked_for_until_a_404_is_old_enough_to_be_trusted() -> None:
    core = CoreWorld()
    accounts, rows = made(core)
    core.wait(5.0)
    core.sweep(*rows)
    core.wait(5.0)
    core.sweep()
    for account in accounts:
        core.get(account)  # a 404 so soon after our own create is not trusted yet
    core.wait(core.workspace.policy.lost_seconds)
    core.sweep()
    assert core.operations().count(Operation.GET_ACCOUNT) == len(accounts)
    for account in accounts:
        core.get(account)
        core.patch(account)
    assert [core.step(account).action for account in accounts] == [Action.CREATE] * len(accounts)


def test_that_those_that_a_list_did_not_show_yet_are_looked_for_on_the_newest_page() -> None:
    core = CoreWorld()
    made(core)
    core.wait(5.0)
    looks = [call for call in core.calls() if call.operation is Operation.LIST_ACCOUNTS and call.newest]
    assert len(looks) == 1
    assert Operation.GET_ACCOUNT not in core.operations()


def test_that_a_404_is_trusted_soon_after_a_restart_although_the_clock_of_the_api_server_is_ahead() -> None:
    simulation = Simulation(cluster_offset=3600.0)
    simulation.apply("sales", "ann", ADDRESSES[0])
    running(simulation, 60.0)
    simulation.crash()
    (inbox,) = simulation.remote.at(ADDRESSES[0])
    simulation.remote.delete_by_hand(inbox.inbox_id)
    running(simulation, 600.0)
    assert len(simulation.remote.at(ADDRESSES[0])) == 1
