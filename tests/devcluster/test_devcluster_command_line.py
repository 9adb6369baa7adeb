"""The command line, and what it says when it cannot start."""

from pathlib import Path

import pytest

from devcluster import Cluster, programs
from devcluster.builder import build
from devcluster.modules import CONTROL_PLANE
from tests.devcluster.support import CommandLine


def test_run_gives_the_command_a_cluster_and_returns_its_exit_code(command_line: CommandLine) -> None:
    code, out, _ = command_line.finished(
        "run", "--", "sh", "-c", "kubectl get namespace default -o name && exit 7", HOME="/nonexistent"
    )
    assert (code, out) == (7, "namespace/default\n")
    assert not command_line.folders()


def test_the_current_cluster_is_used_and_goes_on(cluster: Cluster, command_line: CommandLine) -> None:
    def run(*command: str) -> tuple[int, str, str]:
        return command_line.finished("run", "--", *command, CLUSTER="current", KUBECONFIG=str(cluster.kubeconfig))

    assert run("kubectl", "create", "namespace", "made-by-a-guest")[0] == 0
    assert run("kubectl", "get", "namespace", "made-by-a-guest", "-o", "name")[1] == "namespace/made-by-a-guest\n"
    assert not command_line.folders()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"KUBEBUILDER_ASSETS": "/nonexistent"},
            "KUBEBUILDER_ASSETS=/nonexistent has no program etcd and no ",
        ),
        ({"CLUSTER": "kind"}, "CLUSTER=kind is not known; set it to `current` or leave it out"),
        ({"CLUSTER": "current", "KUBECONFIG": "/nonexistent"}, "CLUSTER=current, but there is no current cluster: "),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(
    command_line: CommandLine, environment: dict[str, str], said: str
) -> None:
    code, out, err = command_line.finished("up", **environment)
    assert (code, out) == (2, "")
    assert err.startswith(f"devcluster: {said}")
    assert err.count("\n") == 1


def test_a_component_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path, command_line: CommandLine) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "etcd").write_text("#!/bin/sh\necho no space left on device\nexit 3\n")
    (assets / "etcd").chmod(0o755)
    for name in ("kube-apiserver", "kube-controller-manager"):
        (assets / name).symlink_to(build(CONTROL_PLANE, [name]) / name)
    code, out, err = command_line.finished("up", KUBEBUILDER_ASSETS=str(assets))
    assert (code, out) == (1, "")
    assert "devcluster: etcd ended with exit code 3" in err
    assert "no space left on device" in err
    assert command_line.folders() == [assets]


def test_assets_without_a_controller_manager_get_the_one_built_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build(CONTROL_PLANE, CONTROL_PLANE.packages)
    for name in ("etcd", "kube-apiserver"):
        (tmp_path / name).symlink_to(built / name)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    found = programs.find_programs()
    assert (found.etcd.parent, found.kube_controller_manager) == (tmp_path, built / "kube-controller-manager")
