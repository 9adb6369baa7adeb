"""Where the audit log goes."""

import json
from pathlib import Path

import pytest

from coldsend_operator.audit_log import AuditLog

NOON = 1_767_268_800.25


def test_each_line_is_one_json_object_that_begins_with_the_time(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    log.write([{"event": "write", "name": "ann"}, {"event": "write", "name": "bob"}], NOON)
    first, second = path.read_text().splitlines()
    assert first == '{"time": "2026-01-01T12:00:00.250Z", "event": "write", "name": "ann"}'
    assert json.loads(second)["name"] == "bob"


def test_it_goes_on_in_a_new_file_after_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    log.write([{"name": "ann"}], NOON)
    path.rename(tmp_path / "audit.log.1")
    log.write([{"name": "bob"}], NOON)
    assert "ann" in (tmp_path / "audit.log.1").read_text()
    assert "bob" in path.read_text()
    assert "ann" not in path.read_text()


def test_stdout_has_the_line_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    AuditLog("stdout").write([{"name": "ann"}], NOON)
    assert json.loads(capsys.readouterr().out)["name"] == "ann"


def test_off_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    AuditLog("off").write([{"name": "ann"}], NOON)
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []
