"""The builder, on a module of three lines."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from devcluster import DevclusterError
from devcluster.builder import build
from devcluster.modules import CONTROL_PLANE, GoModule
from devcluster.toolchain import go_environment, go_program, version_of


@pytest.fixture
def module(tmp_path: Path) -> GoModule:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.com/small\n\ngo 1.26\n\n// example.com/other v1.2.3\n")
    (folder / "go.sum").touch()
    (folder / "main.go").write_text("package main\n\nvar said string\n\nfunc main() { println(said) }\n")
    return GoModule(folder, {"small": "."}, versioned_by="// example.com/other", ldflags="-X main.said={version}")


def test_a_program_knows_the_version_that_go_mod_names(module: GoModule, tmp_path: Path) -> None:
    program = build(module, ["small"], tmp_path / "cache") / "small"
    assert subprocess.run([program], capture_output=True, check=True).stderr == b"v1.2.3\n"


def test_two_builders_at_once_build_a_program_once(
    module: GoModule, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor() as threads:
        folders = list(threads.map(lambda _: build(module, ["small"], tmp_path / "cache"), range(2)))
    assert folders[0] == folders[1]
    assert capfd.readouterr().err.count("from source") == 1
    assert [path.name for path in folders[0].iterdir()] == ["small"]


def test_a_build_that_fails_shows_what_go_said_and_leaves_no_program(module: GoModule, tmp_path: Path) -> None:
    (module.folder / "main.go").write_text("package main\n\nfunc main() { nowhere() }\n")
    with pytest.raises(DevclusterError, match="undefined: nowhere"):
        build(module, ["small"], tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.name == "small"]


def test_another_go_sum_is_another_build(module: GoModule) -> None:
    before = module.key
    (module.folder / "go.sum").write_text("example.com/other v1.2.3 h1:x\n")
    assert replace(module).key != before


def test_go_keeps_its_caches_in_the_checkout_where_home_has_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "GOCACHE", "GOMODCACHE", "GOPATH", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    environment = go_environment(go_program(CONTROL_PLANE.go_version))
    assert {Path(environment[name]).parent.name for name in ("GOCACHE", "GOMODCACHE")} == {".cache"}


def test_flags_of_the_machine_do_not_reach_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOOS", "plan9")
    environment = go_environment(go_program(CONTROL_PLANE.go_version))
    assert environment["GOFLAGS"] == ""
    assert "GOOS" not in environment


def test_the_version_of_an_old_go_is_older_than_what_go_mod_asks_for(tmp_path: Path) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.21.3\n")
    old.chmod(0o755)
    assert version_of(old) == (1, 21, 3)
    assert version_of(old) < CONTROL_PLANE.go_version <= version_of(go_program(CONTROL_PLANE.go_version))
