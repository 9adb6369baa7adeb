"""The figures of each domain: people who send cold mail judge, pause and replace inboxes by domain."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coldsend_operator.core.model.answers import STATUSES, Row

OTHER = "OTHER"  # any unknown status, so that new words of ColdSend add no series


@dataclass(frozen=True, slots=True)
class DomainFigures:
    """Sums over the inboxes of one domain. Scores are None where ColdSend shows none."""

    inboxes: Mapping[str, int]  # by status
    lowest_score: float | None
    mean_score: float | None
    sent_today: int
    daily_limit: int


def domain_figures(rows: Iterable[Row]) -> dict[str, DomainFigures]:
    """The figures of each domain, by its name."""
    by_domain: dict[str, list[Row]] = {}
    for row in rows:
        by_domain.setdefault(row.address.rpartition("@")[2], []).append(row)
    return {name: _sums(found) for name, found in sorted(by_domain.items())}


def _sums(rows: list[Row]) -> DomainFigures:
    scores = [row.health_score for row in rows if row.health_score is not None]
    return DomainFigures(
        inboxes=Counter(row.overall_status if row.overall_status in STATUSES else OTHER for row in rows),
        lowest_score=min(scores, default=None),
        mean_score=math.fsum(scores) / len(scores) if scores else None,
        sent_today=sum(row.emails_sent_today or 0 for row in rows),
        daily_limit=sum(row.daily_limit or 0 for row in rows),
    )
