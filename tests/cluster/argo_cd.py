"""Argo CD from source, and a Git repository for it to follow."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from devcluster.components import Component
from devcluster.processes import Processes
from devcluster.run_folder import RunFolder
from devcluster.whole import programs
from tests.chart.support import ROOT
from tests.cluster.operator_release import until
from tests.cluster.place import Place
from tests.e2e.support.api_server import MERGE, ApiServer, Object, named

NAMESPACE = "argocd"
_REDIS_PORT, _REPO_SERVER_PORT = 6379, 8081
_APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
_PART_OF = {"app.kubernetes.io/part-of": "argocd"}
_PROJECT: Object = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": NAMESPACE},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}


@dataclass(frozen=True)
class Repository:
    """A local one, as a team has it on a server."""

    folder: Path

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    @classmethod
    def made(cls, folder: Path, content: Path) -> "Repository":
        shutil.copytree(content, folder)
        made = cls(folder)
        made._git("init", "--quiet", "--initial-branch=main")
        made.commit("Begin")
        return made

    def commit(self, why: str) -> None:
        self._git("add", "--all")
        person = ("-c", "user.name=Team", "-c", "user.email=team@example.com")
        self._git(*person, "commit", "--quiet", "--message", why)

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, check=True)  # noqa: S607 - the one of the machine


@dataclass(frozen=True)
class ArgoCD:
    server: ApiServer
    processes: Processes

    def follow(self, name: str, repository: Repository, namespace: str) -> None:
        """With the Application of examples/argocd, but for its repository."""
        application = yaml.safe_load((ROOT / "examples" / "argocd" / "application.yaml").read_text())
        application["metadata"]["name"] = name
        application["spec"]["source"] = {"repoURL": repository.url, "targetRevision": "main", "path": "."}
        application["spec"]["destination"]["namespace"] = namespace
        self.server.ask("POST", _APPLICATIONS, application)

    def application(self, name: str) -> Object:
        return self.server.ask("GET", f"{_APPLICATIONS}/{name}")

    def look(self, name: str, how: str = "normal") -> None:
        """As the web hook of a Git server, or the Refresh button, asks for; returns when it has looked."""
        change: Object = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": how}}}
        self.server.ask("PATCH", f"{_APPLICATIONS}/{name}", change, MERGE)
        until(lambda: not self.application(name)["metadata"].get("annotations"), "a look of Argo CD", self.story)

    def good(self, name: str) -> bool:
        """Synced and Healthy, with no operation under way."""
        status: dict[str, Any] = self.application(name).get("status", {})
        shown = [
            status.get("sync", {}).get("status"),
            status.get("health", {}).get("status"),
            status.get("operationState", {}).get("phase"),
        ]
        return shown == ["Synced", "Healthy", "Succeeded"]

    def hook_phase(self, name: str, kind: str) -> str:
        """Of the hook of this kind in the newest sync: Running, Succeeded or Failed; empty before it begins."""
        state: dict[str, Any] = self.application(name).get("status", {}).get("operationState", {})
        hooks = state.get("syncResult", {}).get("resources", [])
        return next((str(each.get("hookPhase", "")) for each in hooks if each["kind"] == kind), "")

    def health(self, name: str) -> dict[str, str]:
        """Of each sender account, by its name."""
        listed = self.application(name)["status"]["resources"]
        return {each["name"]: each["health"]["status"] for each in listed if each["kind"] == "SenderAccount"}

    def syncs(self, name: str) -> int:
        """How many there have been."""
        return len(self.application(name)["status"].get("history", []))

    def remove(self, name: str) -> None:
        self.server.ask("DELETE", f"{_APPLICATIONS}/{name}")

    def story(self) -> str:
        self.processes.check()
        shown = self.server.kubectl("get", "applications", "--namespace", NAMESPACE, "--output=yaml", check=False)
        return shown.stdout + "\n".join(self.processes.tail(name) for name in self.processes.pids)


@contextmanager
def argo_cd(place: Place, server: ApiServer, folder: Path) -> Iterator[ArgoCD]:
    """With the health of our kinds as argocd/argocd-cm.yaml gives it."""
    _configure(server)
    (folder / "logs").mkdir()
    _give_kustomize(place, folder / "bin")
    with Processes(RunFolder(folder)) as processes:
        for component in _components(place, folder):
            processes.start(component)
        yield ArgoCD(server, processes)


def _configure(server: ApiServer) -> None:
    crds = str(programs.argocd_crds())
    server.kubectl("apply", "--server-side", "-f", crds)
    waiting = ("wait", "--for=condition=Established", "--timeout=60s", "-f", crds)
    until(lambda: server.kubectl(*waiting, check=False).returncode == 0, "the kinds of Argo CD")
    server.apply(named("Namespace", "", NAMESPACE))
    server.kubectl("apply", "--server-side", "-f", str(ROOT / "argocd" / "argocd-cm.yaml"))
    for kind, name in (("ConfigMap", "argocd-rbac-cm"), ("Secret", "argocd-secret")):
        made = named(kind, NAMESPACE, name, data={"server.secretkey": "bm9uZQ=="} if kind == "Secret" else {})
        server.apply({**made, "metadata": {**made["metadata"], "labels": _PART_OF}})
    server.ask("POST", f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/appprojects", _PROJECT)


def _give_kustomize(place: Place, folder: Path) -> None:
    """The program that the repo server calls, as kubectl has it within."""
    folder.mkdir()
    program = folder / "kustomize"
    program.write_text(f'#!/bin/sh\n[ "$1" = build ] && shift\nexec {place.cluster.kubectl} kustomize "$@"\n')
    program.chmod(0o755)


def _components(place: Place, folder: Path) -> Iterator[Component]:
    redis = ("redis-server", "--bind", "127.0.0.1", "--port", str(_REDIS_PORT), "--save", "", "--dir", str(folder))
    yield Component("redis", redis)
    common = ("--redis", f"127.0.0.1:{_REDIS_PORT}", "--loglevel", "info")
    yield _argocd(
        "argocd-repo-server",
        place,
        folder,
        *common,
        "--address=127.0.0.1",
        f"--port={_REPO_SERVER_PORT}",
        "--disable-tls",
    )
    yield _argocd(
        "argocd-application-controller",
        place,
        folder,
        *common,
        f"--repo-server=127.0.0.1:{_REPO_SERVER_PORT}",
        "--repo-server-plaintext",
        f"--kubeconfig={place.cluster.kubeconfig}",
        f"--namespace={NAMESPACE}",
        "--persist-resource-health=true",  # else only the web page knows it
    )


def _argocd(role: str, place: Place, folder: Path, *arguments: str) -> Component:
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    environment = {
        "ARGOCD_BINARY_NAME": role,
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_GNUPGHOME": str(empty),
        "ARGOCD_SSH_DATA_PATH": str(empty),
        "ARGOCD_TLS_DATA_PATH": str(empty),
        "HOME": str(folder),
        "KUBECONFIG": str(place.cluster.kubeconfig),
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "TMPDIR": str(folder),
    }
    settings = (f"{name}={value}" for name, value in environment.items())
    return Component(role, ("env", "--ignore-environment", *settings, str(programs.argocd()), *arguments))
