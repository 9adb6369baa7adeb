"""The key `report` of the state ConfigMap: usage and queues of each workspace, for people and commands."""

import json

from coldsend_operator import __version__
from coldsend_operator.accounts.bookings import StoredReport
from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.report import UNTRIED, workspace_report, worth_a_write

MAX_REPORTED = 100  # keys: those with the most objects


def report_of(controller: AccountController, leader: str, now: float) -> StoredReport | None:
    """The current report, of the API keys with the most objects; None while ColdSend has answered to none of them."""
    working = [
        (loop.workspace, digest, key)
        for loop in controller.loops.values()
        for digest, key in loop.keys.items()
        if loop.workspace.merged_into is None and loop.workspace.keys.count(digest)
    ]
    working.sort(key=lambda each: (-each[0].keys.count(each[1]), each[1]))
    told = {
        digest: workspace_report(workspace, digest, now, key=key.label, answered=key.answered)
        for workspace, digest, key in working[:MAX_REPORTED]
    }
    if told and all(each["keyState"] == UNTRIED for each in told.values()):
        return None  # it would be shown for a minute, and the first answer comes within seconds
    lasting = {
        "version": __version__,
        "leader": leader,
        "frozen": controller.policy.freeze,
        "omitted": len(working) - len(told),
    }
    content = {"at": rfc3339(now), **lasting, "workspaces": told}
    return StoredReport(
        json.dumps(content, separators=(",", ":")),
        (lasting, {digest: worth_a_write(each) for digest, each in told.items()}),
    )
