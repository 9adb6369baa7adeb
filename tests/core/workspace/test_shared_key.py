"""Two operators on one key: each sees in the headers of ColdSend what it has not sent itself."""

import pytest

from coldsend_operator.core.model.answers import RateHeaders
from coldsend_operator.core.model.policy import Limits
from coldsend_operator.core.workspace.budget import Budget

NOW = 1_800_000_000.0


def crowded(limits: Limits, *, sent: int, remaining: int, limit: int = 100) -> bool:
    budget = Budget(limits)
    for _ in range(sent):
        budget.start()
        budget.end(NOW)
    budget.see(RateHeaders(limit=limit, remaining=remaining, reset=NOW + 30), NOW)
    return budget.crowded


@pytest.mark.parametrize(
    ("limits", "sent", "remaining", "expected"),
    [
        (Limits(), 10, 90, False),  # nobody else
        (Limits(), 10, 70, False),  # people, within the reserve
        (Limits(), 10, 69, True),  # more than the reserve
        (Limits(per_minute=50), 10, 31, False),  # another shard, within its share
        (Limits(per_minute=50), 10, 29, True),
    ],
)
def test_others_are_noticed_when_they_spend_more_than_is_left_to_them(
    limits: Limits, sent: int, remaining: int, expected: bool
) -> None:
    assert crowded(limits, sent=sent, remaining=remaining) is expected


def test_headers_of_the_hour_are_held_against_the_hour() -> None:
    assert not crowded(Limits(), sent=10, remaining=800, limit=1000)
    assert crowded(Limits(), sent=10, remaining=700, limit=1000)
