"""The operator's own report on each workspace: the key `report` of its state ConfigMap. Pure."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from coldsend_operator.core.model.policy import Limits
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.core.report import UNTRIED


def reported(state: Mapping[str, Any]) -> dict[str, Any]:
    """The report by workspace digest; empty if there is no readable one."""
    report = state.get("report")
    workspaces = report.get("workspaces") if isinstance(report, dict) else None
    found = workspaces if isinstance(workspaces, dict) else {}
    return {str(digest): each for digest, each in found.items() if isinstance(each, dict)}


def limits_of(each: Mapping[str, Any], usual: Limits) -> Limits:
    """The limits that the operator keeps to, its reserve taken off; `usual` if it has not reported them."""
    windows = (each.get("minute"), each.get("hour"))
    told = [window.get("limit") for window in windows if isinstance(window, dict)]
    match told:
        case [int(minute), int(hour)]:
            return Limits(minute, hour, reserve=0.0)
    return usual


def frozen(state: Mapping[str, Any]) -> bool:
    """Whether the operator has reported that COLDSEND_FREEZE is on."""
    report = state.get("report")
    return isinstance(report, dict) and report.get("frozen") is True


def report_lines(state: Mapping[str, Any], shown: frozenset[str], now: float) -> Iterator[str]:
    """One sentence per workspace in `shown`: the key, the queue, and the age of the values; a freeze comes first."""
    report = state.get("report")
    told_at = report.get("at") if isinstance(report, dict) else None
    at = unix_of(told_at) if isinstance(told_at, str) else None
    since = f", {_span(now - at)} ago" if at is not None else ""
    if frozen(state):
        yield f"COLDSEND_FREEZE is on: the operator writes nothing to ColdSend (its report{since})"
    for digest, each in sorted(reported(state).items()):
        if digest not in shown:
            continue
        parts = [_key(each), _queue(each), _sweep(each)]
        unmanaged = each.get("unmanaged")
        if unmanaged:
            parts.append(f"{unmanaged} of its inboxes {'belongs' if unmanaged == 1 else 'belong'} to no object")
        yield f"{digest}: {'; '.join(part for part in parts if part)} (the operator's report{since})"


def _key(each: Mapping[str, Any]) -> str:
    state = each.get("keyState", "unknown")
    return "key not used yet" if state == UNTRIED else f"key {state}"


def _queue(each: Mapping[str, Any]) -> str:
    queue = each.get("queue")
    lanes = queue.items() if isinstance(queue, dict) else ()
    waiting = [
        f"{lane} {told.get('waiting')} since {_clock(told.get('oldest'))}"
        for lane, told in lanes
        if isinstance(told, dict)
    ]
    if not waiting:
        return "nothing waits"
    done = each.get("doneAt")
    return f"waiting: {', '.join(waiting)}" + (f", done about {_clock(done)}" if done else "")


def _sweep(each: Mapping[str, Any]) -> str:
    sweep = each.get("sweep")
    if not isinstance(sweep, dict) or not isinstance(sweep.get("periodSeconds"), int):
        return ""
    age = sweep.get("ageSeconds")
    last = f"last {_span(age)} before that" if isinstance(age, int) else "none yet"
    return f"full list every {_span(sweep['periodSeconds'])}, {last}"


def _clock(text: object) -> str:
    at = unix_of(text) if isinstance(text, str) else None
    return time.strftime("%H:%M:%SZ", time.gmtime(at)) if at is not None else "-"


def _span(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h"
