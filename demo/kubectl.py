"""The demo acts through kubectl, as the people who watch it will."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster import Cluster


class KubectlError(Exception):
    """kubectl refused; the text is its own."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl, pointed at one cluster."""

    cluster: Cluster

    @property
    def outlives_us(self) -> bool:
        """Whether the cluster is somebody's own, so that what we put there must be taken away again."""
        return not self.cluster.pids

    def __call__(self, *arguments: str | Path, given: str | None = None) -> str:
        """What it printed; `given` is its standard input."""
        command = [str(self.cluster.kubectl), "--kubeconfig", str(self.cluster.kubeconfig), *map(str, arguments)]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise KubectlError(done.stderr.strip() or f"kubectl ended with exit code {done.returncode}")
        return done.stdout

    def exists(self, *arguments: str) -> bool:
        return bool(self("get", "--ignore-not-found", "--output=name", *arguments).strip())

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self("get", "--output=json", *arguments))["items"]
        return found
