"""Helm, and what it makes of the chart."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

import devcluster

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "coldsend-operator"
RELEASE = "coldsend-operator"
NAMESPACE = "coldsend"
KINDS = ("senderaccounts", "senderaccountbatches")
CRDS = tuple(f"{kind}.coldsend.pro" for kind in KINDS)


class HelmError(Exception):
    """What helm said when it refused."""


@dataclass(frozen=True)
class Rendered:
    """The objects of a release."""

    objects: tuple[Object, ...]

    def of(self, kind: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str = RELEASE) -> Object:
        (found,) = (each for each in self.of(kind) if each["metadata"]["name"] == name)
        return found

    @property
    def kinds(self) -> set[str]:
        return {each["kind"] for each in self.objects}

    @property
    def pod(self) -> Object:
        template: Object = self.one("Deployment")["spec"]["template"]
        return template

    @property
    def container(self) -> Object:
        container: Object = self.pod["spec"]["containers"][0]
        return container

    @property
    def env(self) -> dict[str, Any]:
        return {each["name"]: each.get("value") for each in self.container["env"]}


class Helm:
    """The program, called as people call it; with a cluster for whatever needs one."""

    def __init__(self, program: Path, folder: Path, cluster: devcluster.Cluster | None = None) -> None:
        self._program = program
        self._folder = folder
        self._cluster = cluster
        self._rendered: dict[tuple[str, str], Rendered] = {}

    @property
    def program(self) -> Path:
        return self._program

    def at(self, cluster: devcluster.Cluster) -> "Helm":
        return Helm(self._program, self._folder, cluster)

    def __call__(self, *arguments: str) -> str:
        with self.started(*arguments) as process:
            said, complaint = process.communicate()
        if process.returncode:
            raise HelmError(said + complaint)
        return said

    def started(self, *arguments: str) -> "subprocess.Popen[str]":
        """Under way; for those who look at what happens meanwhile."""
        home = {f"HELM_{name}_HOME": str(self._folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        home["GOGC"] = "400"  # it looks for garbage less often, which takes a fifth less CPU
        home["HOME"] = str(self._folder)  # where it keeps what it learned of the API server
        if self._cluster is not None:
            home["KUBECONFIG"] = str(self._cluster.kubeconfig)
        pipe = subprocess.PIPE
        return subprocess.Popen([self._program, *arguments], env=home, stdout=pipe, stderr=pipe, text=True)

    def text(self, values: Object | None = None, release: str = RELEASE, namespace: str = NAMESPACE) -> str:
        """The manifests of a release with these values."""
        return self("template", release, str(CHART), "--namespace", namespace, "--values", self.values(values))

    def render(self, values: Object | None = None, release: str = RELEASE) -> Rendered:
        """As `text`, as objects; made once for each set of values, for tests that change nothing of it."""
        key = release, json.dumps(values, sort_keys=True)
        if key not in self._rendered:
            self._rendered[key] = rendered(self.text(values, release))
        return self._rendered[key]

    def stored(self, namespace: str, release: str = RELEASE) -> Rendered:
        """What Helm remembers to have installed."""
        return rendered(self("get", "manifest", release, "--namespace", namespace))

    def values(self, values: Object | None) -> str:
        """The path of a file that holds them."""
        path = self._folder / f"values-{uuid4().hex[:8]}.yaml"
        path.write_text(yaml.safe_dump(values or {}))
        return str(path)


def rendered(text: str) -> Rendered:
    documents = yaml.load_all(text, Loader=yaml.CSafeLoader)  # ten times as fast as the one in Python
    return Rendered(tuple(each for each in documents if each))
