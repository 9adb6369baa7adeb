"""Where pods run: the box of `make test-cluster`, or the cluster of kind of `make test-kind`."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from devcluster import Cluster, control_plane
from devcluster.whole import places, programs, whole_cluster
from devcluster.whole.box import FOLDER
from devcluster.whole.images import OPERATOR_IMAGE

KIND_NODE, KIND_HOST = "KIND_NODE", "KIND_HOST"
"""The container that is the node, and the address by which its pods reach this machine."""


@dataclass(frozen=True)
class Place:
    """A cluster whose pods run.

    Attributes:
        cluster: its API server.
        host: an address by which pods reach this machine.
        listens: what a server listens on so that they do.
        image: the operator's, as the node knows it.
        into_node: what comes before a command so that it runs on the node.
        ctr: the program that asks its containerd.
    """

    cluster: Cluster
    host: str
    listens: str
    image: str
    into_node: tuple[str, ...]
    ctr: str

    def on_node(self, *command: str) -> str:
        return subprocess.run([*self.into_node, *command], capture_output=True, text=True, check=True).stdout

    def pid_of(self, container: str) -> int:
        """Of the first process of a container, as the node counts; `container` is its id in containerd."""
        for line in self.on_node(self.ctr, "--namespace", "k8s.io", "tasks", "list").splitlines():
            name, pid, *_ = line.split()
            if name == container:
                return int(pid)
        raise LookupError(f"no task {container}")


@contextmanager
def place() -> Iterator[Place]:
    if os.environ.get(FOLDER):
        with whole_cluster() as whole:
            node = programs.node()
            yield Place(whole.cluster, whole.host, places.HOST, OPERATOR_IMAGE, (), str(node.ctr))
    else:
        with control_plane() as cluster:
            into_node = ("docker", "exec", os.environ[KIND_NODE])
            yield Place(cluster, os.environ[KIND_HOST], "0.0.0.0", OPERATOR_IMAGE, into_node, "ctr")
