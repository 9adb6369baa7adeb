"""Rule 35: a CRD that is older than the operator, and drops fields of status that were just written."""

from dataclasses import dataclass, field

from coldsend_operator.core.model.account import Credentials
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.resources.names import CREDENTIALS_CURRENT_ANNOTATION
from tests.core.rules.watching import play_until, running
from tests.support.cluster import Raw
from tests.support.core_world import CoreWorld, row
from tests.support.simulation import Simulation

MAIL = {"recipient": "ops@company.com", "requestID": "1"}
HOUR = 3600.0
FEW = 6  # writes of an account that becomes Ready; each sweep may bring other figures


@dataclass
class Writes:
    seen: list[Raw] = field(default_factory=list)

    def status(self, before: Raw, after: Raw) -> None:
        self.seen.append(after["status"])


def ready_with(pruned: str, **fields: object) -> tuple[Simulation, str, Writes]:
    simulation, writes = Simulation(), Writes()
    simulation.cluster.pruned = frozenset({pruned})
    simulation.cluster.on_status = writes.status
    uid = simulation.apply("sales", "ann", "ann@company.com", **fields)
    running(simulation)
    play_until(simulation, lambda: simulation.ready(uid)[1] == "Active")
    return simulation, uid, writes


def test_rule_35_no_write_is_repeated_for_a_field_that_the_api_server_drops() -> None:
    simulation, _, writes = ready_with("lastApplied")
    simulation.wait(HOUR)
    assert len(writes.seen) <= FEW


def test_rule_35_a_test_mail_whose_mark_is_dropped_is_not_sent() -> None:
    simulation, _, writes = ready_with("testEmail", testEmail=MAIL)
    simulation.wait(HOUR)
    assert simulation.remote.mails == []
    assert len(writes.seen) <= FEW


def test_rule_35_a_test_mail_that_waits_keeps_no_condition_from_following_coldsend() -> None:
    simulation, uid, _ = ready_with("testEmail", testEmail=MAIL)
    (inbox,) = simulation.remote.inboxes.values()
    inbox.health_score = 40.0
    play_until(simulation, lambda: simulation.says(uid)["Healthy"][1] == "HealthScoreLow")


def test_rule_35_a_recreation_waits_until_what_was_sent_can_be_stored() -> None:
    core = CoreWorld(policy=Policy(lost_fields=frozenset({"lastApplied"})))
    account = core.holder(updatePolicy="Recreate", dailyLimit=50)
    core.sweep(row(daily_limit=50))
    core.change(account, updatePolicy="Recreate", dailyLimit=60)
    assert core.operations() == []
    assert "drops status.lastApplied" in core.says(account)["Synced"][2]
    core.workspace.policy.lost_fields = frozenset()
    core.workspace.touch_everything()
    assert core.operations() == [Operation.DELETE_ACCOUNT]


def test_rule_35_a_persons_word_for_the_secret_waits_until_it_can_be_stored() -> None:
    core = CoreWorld(policy=Policy(lost_fields=frozenset({"lastCredentialsCurrentRequest"})))
    account = core.holder(annotations={CREDENTIALS_CURRENT_ANNOTATION: "1"})
    account.credentials = Credentials("hmac-of-two")
    core.sweep(row())
    assert account.stored.sent_credentials == "hmac-of-one"
    assert not core.workspace.stale_secrets


def test_rule_35_an_adoption_waits_until_its_origin_can_be_stored() -> None:
    core = CoreWorld(policy=Policy(lost_fields=frozenset({"origin"})))
    core.sweep(row())
    account = core.account(adoptionPolicy="Adopt")
    assert core.operations() == []
    assert core.says(account)["Ready"][1:] == (
        "AlreadyExists",
        "Waiting for a CRD upgrade: the installed CRD drops status.origin.",
    )
