"""Whatever ends a run, nothing of it stays."""

import os
import signal
import time
from pathlib import Path

import pytest

import devcluster
from devcluster import DevclusterError
from devcluster.run_folder import run_folder
from tests.devcluster.support import CommandLine, descendants, none_lives, read_line, wait_until

LONG_AGO = 3600.0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_signal_to_the_parent_leaves_no_process_and_no_folder(
    command_line: CommandLine, number: signal.Signals, code: int
) -> None:
    with command_line.started("up") as up:
        assert Path(read_line(up).removeprefix("KUBECONFIG=")).is_file()
        pids = descendants(up.pid)
        assert len(pids) == 4
        up.send_signal(number)
        assert up.wait() == code
    assert wait_until(lambda: none_lives(pids) and not command_line.folders())


def test_a_component_that_dies_ends_the_run_and_is_named(tmp_path: Path) -> None:
    def use() -> None:
        with devcluster.control_plane(tmp_path) as cluster:
            os.kill(cluster.pids["etcd"], signal.SIGKILL)
            cluster.wait_for_end()

    with pytest.raises(DevclusterError, match="etcd was ended by SIGKILL; "):
        use()
    assert not list(tmp_path.iterdir())


def test_a_killed_supervisor_takes_all_with_it(tmp_path: Path) -> None:
    def use() -> set[int]:
        with devcluster.control_plane(tmp_path) as cluster:
            pids.update(cluster.pids.values())
            os.kill(cluster.pids["kube-apiserver"], signal.SIGSTOP)
            os.kill(cluster.pids["supervisor"], signal.SIGKILL)
            cluster.wait_for_end()
        return pids

    pids: set[int] = set()
    with pytest.raises(DevclusterError, match="supervisor ended with SIGKILL"):
        use()
    assert wait_until(lambda: none_lives(pids))
    assert not list(tmp_path.iterdir())


def test_the_folder_of_a_run_that_was_killed_goes_at_the_next_start(tmp_path: Path) -> None:
    with run_folder(tmp_path) as living:
        abandoned = tmp_path / "coldsend-devcluster-abandoned"
        abandoned.mkdir()
        (abandoned / "lock").touch()
        for folder in (living.path, abandoned):
            os.utime(folder, (time.time() - LONG_AGO,) * 2)
        with run_folder(tmp_path) as next_run:
            assert set(tmp_path.iterdir()) == {living.path, next_run.path}
    assert not list(tmp_path.iterdir())
