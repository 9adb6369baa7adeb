"""The operator is killed at random instants of 200 creations and as many deletions; `make soak` goes on for longer.

`KILLS_SEED` plays the people of a former run again; the instants of the kills are as random as the machine is busy.
"""

import os
from random import SystemRandom

import pytest

from tests.e2e.stage.world import World
from tests.soak.killing import KILLS, survive


@pytest.mark.timeout(600)  # each of the operators has to start, on a machine that may be busy
def test_that_no_inbox_is_made_twice_lost_or_left_alone_and_no_object_stuck_by_kills(world: World) -> None:
    seed = int(os.environ.get("KILLS_SEED") or SystemRandom().getrandbits(32))
    outcome = survive(world, seed)
    assert outcome.kills == KILLS
    assert outcome.made >= 200
    assert world.leaks() == []
