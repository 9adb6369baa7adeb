"""Starts a cluster with a Ready node in an empty box."""

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devcluster import components as without_pods
from devcluster.cluster import Cluster
from devcluster.errors import DevclusterError
from devcluster.kubeconfig import write_private, write_with_token
from devcluster.processes import Processes
from devcluster.programs import CONTROLLERS, find_kubectl
from devcluster.progress import wait_showing
from devcluster.run_folder import RunFolder
from devcluster.startup import answers
from devcluster.whole import components, configs, images, network, places, programs
from devcluster.whole.places import Places

_START_SECONDS = 180.0
_CHECK_SECONDS = 0.2


@dataclass(frozen=True)
class WholeCluster:
    """A cluster with pods, until the end of the block of `whole_cluster`.

    Attributes:
        cluster: its control plane.
        host: an address of this machine that pods can reach.
        check: raises DevclusterError if a component has ended.
        start_component: starts another program, which ends with the cluster.
    """

    cluster: Cluster
    host: str
    check: Callable[[], None]
    start_component: Callable[[without_pods.Component], None]


@contextmanager
def whole_cluster() -> Iterator[WholeCluster]:
    """Start the cluster of this box. Call it only in a box (`run_in_box`), and once."""
    here = Places.of_this_box()
    folder = RunFolder(here.folder)
    network.set_up()
    with Processes(folder) as processes:
        start = _Start(here, folder, processes)
        wait_showing("starting the control plane", start.control_plane())
        wait_showing("starting the node", start.node())
        yield WholeCluster(start.cluster(), places.HOST, processes.check, processes.start)
        processes.check()


class _Start:
    def __init__(self, here: Places, folder: RunFolder, processes: Processes) -> None:
        self._here = here
        self._folder = folder
        self._processes = processes
        self._programs = programs.control_plane()
        self._node_programs = programs.node()
        self._kubectl = find_kubectl()
        self._tokens = {
            name: secrets.token_urlsafe(32) for name in (without_pods.ADMIN[0], CONTROLLERS, *components.USERS)
        }

    def control_plane(self) -> Callable[[float], bool | None]:
        """Start the control plane. Returns a poll that is True when it serves."""
        self._write_tokens()
        self._folder.audit_policy.write_text(without_pods.AUDIT_POLICY)
        configs.write_all(self._here)
        self._processes.start(without_pods.etcd(self._programs))
        self._processes.start(components.api_server(self._programs, self._folder))
        return self._until(lambda: self._answers("/readyz"))

    def node(self) -> Callable[[float], bool | None]:
        """Start the programs of the node. Returns a poll that is True when the node is Ready."""
        self._write_kubeconfigs()
        start, here, node = self._processes.start, self._here, self._node_programs
        start(components.controllers(programs.controllers(), self._folder))
        start(components.scheduler(node, here))
        start(components.containerd(node, here))
        self._until(Path(places.CONTAINERD_SOCKET).exists)(_START_SECONDS)
        images.import_all(node.ctr, here.snapshotter)
        for each in (components.kubelet, components.proxy, components.name_server):
            start(each(node, here))
        return self._until(self._node_is_ready)

    def cluster(self) -> Cluster:
        return Cluster(
            kubeconfig=self._folder.kubeconfig,
            kubectl=self._kubectl,
            url=places.API_SERVER_URL,
            ca_file=self._folder.ca,
            admin_token=self._tokens[without_pods.ADMIN[0]],
            audit_log=self._folder.audit_log,
            log_dir=self._folder.logs,
            folder=self._folder.path,
            pids=self._processes.pids,
            wait_for_end=lambda: None,
        )

    def _write_tokens(self) -> None:
        users = {
            without_pods.ADMIN[0]: without_pods.ADMIN,
            CONTROLLERS: without_pods.CONTROLLERS_USER,
            **components.USERS,
        }
        lines = [f"{self._tokens[name]},{user},{user},{group}\n" for name, (user, group) in users.items()]
        write_private(self._folder.tokens, "".join(lines))

    def _write_kubeconfigs(self) -> None:
        ca = self._folder.ca.read_bytes()
        paths = {name: self._here.kubeconfig(name) for name in components.USERS}
        paths |= {
            without_pods.ADMIN[0]: self._folder.kubeconfig,
            CONTROLLERS: self._folder.controllers_kubeconfig,
        }
        for name, path in paths.items():
            write_with_token(path, places.API_SERVER_URL, ca, self._tokens[name])

    def _answers(self, path: str) -> bool:
        token = self._tokens[without_pods.ADMIN[0]]
        return answers(self._folder.ca, places.HOST, places.API_SERVER_PORT, path, token)

    def _node_is_ready(self) -> bool:
        command = [str(self._kubectl), "--kubeconfig", str(self._folder.kubeconfig), "get", "nodes", "--output=json"]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            return False
        conditions = [each for node in json.loads(done.stdout)["items"] for each in node["status"]["conditions"]]
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def _until(self, good: Callable[[], bool]) -> Callable[[float], bool | None]:
        deadline = time.monotonic() + _START_SECONDS

        def poll(seconds: float) -> bool | None:
            until = time.monotonic() + seconds
            while not good():
                self._processes.check()
                if time.monotonic() > deadline:
                    tails = "\n".join(f"{name}: {self._processes.tail(name)}" for name in self._processes.pids)
                    raise DevclusterError(f"the cluster is not ready after {_START_SECONDS:.0f} s\n{tails}")
                if time.monotonic() > until:
                    return None
                time.sleep(_CHECK_SECONDS)
            return True

        return poll
