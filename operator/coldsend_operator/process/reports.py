"""The key `report` of the state ConfigMap: usage and queues of each workspace, for people and commands."""

import json

from coldsend_operator import __version__
from coldsend_operator.accounts.bookings import StoredReport
from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.report import workspace_report, worth_a_write

MOST_REPORTED = 100  # workspaces: those with the most objects


def report_of(controller: AccountController, leader: str, now: float) -> StoredReport:
    """The current report, of the workspaces with the most objects."""
    working = [loop for loop in controller.loops.values() if loop.client is not None and loop.workspace.accounts]
    working.sort(key=lambda loop: (-len(loop.workspace.accounts), loop.workspace.digest))
    told = {
        loop.workspace.digest: workspace_report(loop.workspace, now, key=loop.label, answered=loop.answered)
        for loop in working[:MOST_REPORTED]
    }
    lasting = {"version": __version__, "leader": leader, "omitted": len(working) - len(told)}
    content = {"at": rfc3339(now), **lasting, "workspaces": told}
    return StoredReport(
        json.dumps(content, separators=(",", ":")),
        (lasting, {digest: worth_a_write(each) for digest, each in told.items()}),
    )
