"""What `status` says of the operator's own report; it is data of a ConfigMap that anybody may have edited."""

from typing import Any

import pytest

from coldsend_operator.tools.status.reported import report_lines, reported

NOON = 1_767_268_800.0
WORKSPACE: dict[str, Any] = {
    "key": "default",
    "keyState": "Accepted",
    "queue": {"create": {"waiting": 240, "oldest": "2026-01-01T11:58:00Z"}},
    "sweep": {"ageSeconds": 240, "periodSeconds": 900},
    "unmanaged": 12,
    "doneAt": "2026-01-01T12:10:00Z",
}


def said(workspaces: object, shown: str = "5d0c7a1f9b2e") -> list[str]:
    state = {"report": {"at": "2026-01-01T11:59:40Z", "workspaces": workspaces}}
    return list(report_lines(state, frozenset({shown}), NOON))


def test_one_sentence_says_how_the_key_is_what_waits_and_how_old_the_values_are() -> None:
    (line,) = said({"5d0c7a1f9b2e": WORKSPACE})
    assert line == (
        "5d0c7a1f9b2e: key Accepted; waiting: create 240 since 11:58:00Z, done about 12:10:00Z; full list "
        "every 15 min, last 4 min before that; 12 of its inboxes belong to no object (the operator's report, 20 s ago)"
    )


def test_a_workspace_without_work_says_that_nothing_waits() -> None:
    (line,) = said({"5d0c7a1f9b2e": {**WORKSPACE, "queue": {}, "unmanaged": 0}})
    assert "nothing waits" in line
    assert "no object" not in line


def test_before_the_first_answer_the_key_is_not_used_yet() -> None:
    (line,) = said({"5d0c7a1f9b2e": {"keyState": "Untried", "sweep": {"ageSeconds": None, "periodSeconds": 300}}})
    assert line.startswith("5d0c7a1f9b2e: key not used yet; nothing waits; full list every 5 min, none yet (")


def test_a_freeze_comes_first_even_if_nothing_waits() -> None:
    state = {"report": {"at": "2026-01-01T11:59:40Z", "frozen": True, "workspaces": {"5d0c7a1f9b2e": WORKSPACE}}}
    first, *_ = report_lines(state, frozenset({"5d0c7a1f9b2e"}), NOON)
    assert first == "COLDSEND_FREEZE is on: the operator writes nothing to ColdSend (its report, 20 s ago)"
    state["report"]["frozen"] = False
    assert not any("FREEZE" in line for line in report_lines(state, frozenset(), NOON))


def test_workspaces_that_are_not_asked_for_are_left_out() -> None:
    assert said({"5d0c7a1f9b2e": WORKSPACE}, shown="another") == []


@pytest.mark.parametrize("broken", [None, [], "x", 7, {"5d0c7a1f9b2e": None}, {"5d0c7a1f9b2e": {"queue": [1]}}])
def test_a_report_of_any_shape_ends_in_no_traceback(broken: object) -> None:
    assert len(said(broken)) <= 1
    assert reported({"report": broken}) == {}
    assert list(report_lines({}, frozenset(), NOON)) == []
