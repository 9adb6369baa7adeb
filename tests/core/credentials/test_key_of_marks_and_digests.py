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
