"""The content of `status` and `tree`, computed from objects. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from coldsend_operator.core.model.conditions import condition
from coldsend_operator.core.model.policy import Limits, Policy
from coldsend_operator.core.model.reasons import ConditionType, Reason
from coldsend_operator.core.model.stored_status import Status, batch_status
from coldsend_operator.core.workspace.budget import Budget
from coldsend_operator.tools.senders import Sender, read_sender
from coldsend_operator.tools.status.reported import limits_of, reported

Raw = Mapping[str, Any]
BAR = 20
FIRST_FAILURES = 3


@dataclass(frozen=True, slots=True)
class WorkspaceLine:
    """One workspace: its digest in status, its objects, and its remaining budget."""

    workspace: str
    key: str
    inboxes: int  # that objects hold or observe
    ready: int
    creating: int  # objects whose inbox is in progress
    jobs: int
    held: int
    minute_left: int | None
    hour_left: int | None


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One batch. `failures` are its first ones, as address, reason and message."""

    namespace: str
    name: str
    ready: int
    total: int
    failed: int
    percent: int
    done_at: str
    reason: str
    failures: tuple[tuple[str, str, str], ...]

    @property
    def bar(self) -> str:
        full = BAR * self.percent // 100
        return f"[{'#' * full}{'.' * (BAR - full)}] {self.percent:>3}%"


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """The number of objects with a reason, and the message of one of them."""

    reason: str
    count: int
    message: str


def workspace_lines(raws: Iterable[Raw], state: Mapping[str, Any], policy: Policy, now: float) -> list[WorkspaceLine]:
    """One line per workspace with objects.

    Objects without an inbox count in the workspace of their API key if others, or the operator's report, show exactly
    one. Others have their own line.
    """
    groups: dict[str, list[Sender]] = defaultdict(list)
    for sender in map(read_sender, raws):
        groups[str((sender.status.get("lastApplied") or {}).get("workspace") or "")].append(sender)
    known: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for digest, members in groups.items():
        for each in members if digest else ():
            known[_key(each)].add(digest)
    told: dict[str, set[str]] = defaultdict(set)
    reports = reported(state)
    for digest, report in reports.items():
        told[str(report.get("key"))].add(digest)
    for each in groups.pop("", []):
        key = _key(each)
        digests = known.get(key) or told["/".join(key[:2]) or "default"]
        groups[next(iter(digests)) if len(digests) == 1 else ""].append(each)
    return [
        _workspace(digest, members, state.get(digest), limits_of(reports.get(digest, {}), policy.limits), now)
        for digest, members in sorted(groups.items())
    ]


def _key(sender: Sender) -> tuple[str, ...]:
    """What identifies the API key: the Secret that the object or its namespace names; empty: the operator's own."""
    if sender.key is not None:
        return sender.key
    default = (sender.status.get("effective") or {}).get("apiKeySecret")
    return (sender.namespace, str(default)) if default else ()


def _workspace(digest: str, members: list[Sender], stored: Any, limits: Limits, now: float) -> WorkspaceLine:
    left: tuple[int | None, int | None] = (None, None)
    if isinstance(stored, dict):
        budget = Budget(limits)
        budget.load(stored.get("budget", {}), now)
        left = budget.remaining(now)
    keys = {"operator's own" if each.key is None else "/".join(each.key[:2]) for each in members}
    return WorkspaceLine(
        workspace=digest or "-",
        key=", ".join(sorted(keys)),
        inboxes=sum(each.inbox_id is not None for each in members),
        ready=sum(each.ready for each in members),
        creating=sum(each.reason == Reason.PROVISIONING for each in members),
        jobs=len({job for each in members if (job := (each.status.get("job") or {}).get("id"))}),
        held=sum(each.says(Reason.DELETION_HELD) for each in members),
        minute_left=left[0],
        hour_left=left[1],
    )


def batch_lines(raws: Iterable[Raw]) -> list[BatchLine]:
    return sorted(map(_batch, raws), key=lambda line: (line.namespace, line.name))


def _batch(raw: Raw) -> BatchLine:
    status, metadata = batch_status(raw.get("status")), raw["metadata"]
    failures = [
        (str(each.get("emailAddress", "")), str(each.get("reason", "")), str(each.get("message", "")))
        for each in status.get("failures", ())
    ]
    return BatchLine(
        namespace=metadata["namespace"],
        name=metadata["name"],
        ready=status.get("ready", 0),
        total=status.get("total", 0),
        failed=status.get("failed", 0),
        percent=min(100, max(0, status.get("completionPercentage", 0))),
        done_at=status.get("estimatedCompletionTime", ""),
        reason=str((_obstacle(status) or condition(status, ConditionType.READY)).get("reason", "")),
        failures=tuple(failures[:FIRST_FAILURES]),
    )


def reason_lines(senders: Iterable[Sender]) -> list[ReasonLine]:
    """Reasons of objects that are not Ready or do not match their spec; the most frequent first."""
    counts: Counter[str] = Counter()
    messages: dict[str, str] = {}
    for sender in senders:
        if said := _obstacle(sender.status):
            counts[str(said["reason"])] += 1
            messages.setdefault(str(said["reason"]), str(said["message"]))
    return [ReasonLine(reason, count, messages[reason]) for reason, count in counts.most_common()]


def _obstacle(status: Status) -> Mapping[str, Any] | None:
    """The first of Ready and Synced that is there and not True."""
    found = (condition(status, kind) for kind in (ConditionType.READY, ConditionType.SYNCED))
    return next((each for each in found if each and each["status"] != "True"), None)
