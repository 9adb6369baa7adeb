"""The key of create marks and digests: the operator begins nothing without a usable one that all processes share."""

import pytest

from coldsend_operator.credentials.passwords import HMAC_KEY, HMAC_SECRET
from tests.core.rules.watching import running
from tests.support.simulation import Simulation


@pytest.mark.parametrize("content", [{}, {HMAC_KEY: ""}, {HMAC_KEY: "guess"}], ids=["missing", "empty", "short"])
def test_that_nothing_begins_with_a_key_that_can_be_guessed_or_that_no_other_process_has(
    content: dict[str, str | bytes],
) -> None:
    simulation = Simulation()
    simulation.cluster.write_secret("default", HMAC_SECRET, content)
    simulation.apply("sales", "one", "a@company.com")
    running(simulation, 60.0)
    assert simulation.remote.requests == 0
    simulation.cluster.write_secret("default", HMAC_SECRET, {HMAC_KEY: "0011aabb.0123456789abcdef"})
    simulation.wait(120.0)
    assert [inbox.address for inbox in simulation.remote.live()] == ["a@company.com"]
    simulation.converge()


def test_that_a_line_end_behind_the_key_makes_no_secret_look_changed() -> None:
    """A Secret that was made again from a file has one; with Recreate every inbox would be deleted and made again."""
    key = "0011aabb.0123456789abcdef"
    simulation = Simulation()
    simulation.cluster.write_secret("default", HMAC_SECRET, {HMAC_KEY: key})
    uid = simulation.apply("sales", "one", "a@company.com", updatePolicy="Recreate")
    running(simulation, 120.0)
    inboxes = simulation.remote.live()
    simulation.crash()
    simulation.cluster.write_secret("default", HMAC_SECRET, {HMAC_KEY: key + "\n"})
    running(simulation, 600.0)
    assert simulation.says(uid)["CredentialsCurrent"][:2] == ("True", "SecretUnchanged")
    assert simulation.remote.live() == inboxes
    simulation.converge()
