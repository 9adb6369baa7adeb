"""A key is rotated while something is under way: the old one is refused, the new one leads to the same workspace."""

from dataclasses import dataclass
from functools import partial

import pytest

from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.core.model.hashes import workspace_digest
from tests.core.rules.watching import reach, running
from tests.support.remote import FakeColdSend
from tests.support.simulation import Simulation

OLD, NEW = "cs_live_old", "cs_live_new"
KEY = {"apiKeySecretRef": {"name": "key"}}


@dataclass
class Revocable(FakeColdSend):
    """A workspace as seen with a key that can be revoked."""

    revoked: bool = False

    def arrive(self, key: str = "") -> Failure | None:
        return Failure(FailureKind.UNAUTHORIZED, "invalid key", 401) if self.revoked else super().arrive(key)


def with_two_keys() -> tuple[Simulation, Revocable]:
    simulation = Simulation()
    old = Revocable(simulation.clock, inboxes=simulation.remote.inboxes)
    simulation.remotes |= {OLD: old, NEW: simulation.remote}
    simulation.cluster.write_secret("sales", "key", {"apiKey": OLD})
    return simulation, old


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "beside_another"])
def test_that_a_deletion_that_waits_goes_on_with_the_key_that_is_given_now(others: int) -> None:
    simulation, old = with_two_keys()
    running(simulation)
    uid = simulation.apply("sales", "one", "a@company.com", **KEY)
    for number in range(others):
        simulation.apply("sales", f"other-{number}", f"other-{number}@company.com", **KEY)
    simulation.wait(10.0)
    (inbox,) = simulation.remote.at("a@company.com")
    inbox.in_use = True
    simulation.delete(uid)
    simulation.wait(30.0)
    old.revoked = True
    simulation.cluster.write_secret("sales", "key", {"apiKey": NEW})
    simulation.wait(1500.0)
    inbox.in_use = False
    simulation.wait(1500.0)
    assert simulation.remote.at("a@company.com") == []
    assert uid not in simulation.uids


def test_that_a_create_leaves_with_the_key_that_its_secret_has_by_now() -> None:
    """Both keys are known to lead to one workspace, so the account stays there; its Secret changes under its mark."""
    simulation, old = with_two_keys()
    simulation.cluster.write_secret("sales", "other", {"apiKey": NEW})
    simulation.apply("sales", "one", "a@company.com", **KEY)
    simulation.apply("sales", "two", "b@company.com", apiKeySecretRef={"name": "other"})
    process = running(simulation, 700.0)
    uid = simulation.apply("sales", "late", "late@company.com", **KEY)
    mark = reach(simulation, "kube", "patch /apis/coldsend.pro/v1alpha1/namespaces/sales/senderaccounts/late")
    account = process.operator.controller.accounts[uid]
    assert account.busy is not None
    simulation.cluster.write_secret("sales", "key", {"apiKey": NEW})
    simulation.annotate(uid, "coldsend.pro/reconcile", "the Secret has changed")
    while account.key == workspace_digest(OLD):
        process.see()
        others = [partial(simulation.go_on, call) for call in process.traffic.movable if call is not mark]
        others += [partial(process.deliver, kind) for kind, events in process.events.items() if events]
        others[0]() if others else simulation.pass_time(1.0)
    before = old.requests
    simulation.wait(20.0)
    assert simulation.ready(uid)[0] == "True"
    assert old.requests == before
