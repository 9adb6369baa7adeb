"""The Job that stops a sync: the API server takes it as the page says, and its command runs by its rights.

Pods and Argo CD itself are in tests/cluster.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from tests.chart.rights import asked, rights_of, unneeded
from tests.chart.support import rendered
from tests.e2e.support.api_server import named
from tests.e2e.support.world import World

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "argocd"
PAGE = ROOT / "docs" / "how-to" / "argo-cd.md"
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
LABELS = {"inboxes": "outreach"}
HELD, MANY = 4, 12


@dataclass
class Sync:
    """The folder of an Application, and what `kubectl kustomize` makes of it."""

    world: World
    namespace: str
    folder: Path
    built: list[dict[str, Any]]

    def one(self, kind: str) -> dict[str, Any]:
        (found,) = [each for each in self.built if each["kind"] == kind]
        return found

    def run(self, *also: str, **manifests: str) -> "subprocess.CompletedProcess[str]":
        """The command of the Job as its ServiceAccount, with these files in place of the ConfigMap's."""
        mounted = self.folder / "mounted"
        mounted.mkdir(exist_ok=True)
        for name, text in manifests.items():
            (mounted / f"{name}.yaml").write_text(text, encoding="utf-8")
        (container,) = self.one("Job")["spec"]["template"]["spec"]["containers"]
        arguments = [each.replace("/manifests", str(mounted)) for each in (*container["args"], *also)]
        token = self.world.server.token(self.namespace, "presync-plan")
        config = yaml.safe_load(self.world.cluster.kubeconfig_for(token).read_text(encoding="utf-8"))
        config["contexts"][0]["context"]["namespace"] = self.namespace  # in a pod it is that of the ServiceAccount
        (self.folder / "config").write_text(yaml.safe_dump(config), encoding="utf-8")
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": ":".join(sys.path),
            "KUBECONFIG": str(self.folder / "config"),
            **{each["name"]: each["value"] for each in container["env"]},
        }
        return subprocess.run(
            [*container["command"], *arguments], env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def sync(world: World, tmp_path: Path) -> Iterator[Sync]:
    namespace = f"presync-{uuid4().hex[:8]}"
    world.server.apply({**named("Namespace", "", namespace), "metadata": {"name": namespace, "labels": RESTRICTED}})
    (kustomization,) = re.findall(
        r'```yaml title="kustomization.yaml"\n(.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    (tmp_path / "kustomization.yaml").write_text(
        kustomization.replace("namespace: outreach", f"namespace: {namespace}")
    )
    for path in (*(EXAMPLES / "inboxes").glob("[1-9]*.yaml"), EXAMPLES / "presync-plan.yaml"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    text = world.server.kubectl("kustomize", str(tmp_path)).stdout
    yield Sync(world, namespace, tmp_path, list(yaml.safe_load_all(text)))
    world.server.kubectl("delete", "sender,senderbatch", "--all", "-n", namespace, "--wait=false")
    world.server.kubectl("delete", "namespace", namespace, "--wait=false")


def test_the_api_server_takes_the_folder_of_the_page_under_the_restricted_standard(sync: Sync) -> None:
    (sync.folder / "all.yaml").write_text(yaml.safe_dump_all(sync.built), encoding="utf-8")
    flags = ("--server-side", "--dry-run=server", "--validate=strict")
    said = sync.world.server.kubectl("apply", *flags, "-f", str(sync.folder / "all.yaml"))
    assert said.stdout.count("serverside-applied (server dry run)") == len(sync.built)
    assert "Warning" not in said.stderr


def test_all_that_the_job_needs_comes_before_it_and_before_the_sync(sync: Sync) -> None:
    hooks = {
        each["kind"]: int(each["metadata"]["annotations"].get("argocd.argoproj.io/sync-wave", "0"))
        for each in sync.built
        if each["metadata"].get("annotations", {}).get("argocd.argoproj.io/hook") == "PreSync"
    }
    assert set(hooks) == {"ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Job"}
    assert all(wave < hooks["Job"] for kind, wave in hooks.items() if kind != "Job")
    assert "Secret" not in str(sync.one("ConfigMap")["data"].keys())
    assert all(each["metadata"]["labels"] == LABELS for each in sync.built)


def test_a_sync_that_the_brake_would_hold_stops_and_others_go_on(sync: Sync) -> None:
    world, namespace = sync.world, sync.namespace
    hooks = ("ServiceAccount", "Role", "RoleBinding")
    world.server.apply(*(sync.one(kind) for kind in hooks))
    manifests = [account(namespace, f"seller-{number:02}") for number in range(MANY)]
    world.server.apply(*manifests)
    settings = {"COLDSEND_NAMESPACES": namespace, "COLDSEND_LEASE_NAME": namespace}
    world.emulator.reset()
    world.server.apply(named("Secret", namespace, "login", stringData={"password": "hush"}))
    with world.operator(**settings):
        world.server.kubectl("wait", "--for=condition=Ready", "sender", "--all", "-n", namespace, "--timeout=60s")
        history = world.emulator.history()

        same = sync.run(accounts=yaml.safe_dump_all(manifests))
        grown = sync.run(accounts=yaml.safe_dump_all([*manifests, account(namespace, "new")]))
        wiped = sync.run(accounts="# nothing is left\n")
        refused = sync.run("--fail-on=nonsense")
        world.server.merge(
            "Namespace", "", namespace, {"metadata": {"annotations": {"coldsend.pro/approve-deletion": "true"}}}
        )
        approved = sync.run(accounts="# nothing is left\n")

        assert world.emulator.history() == history
    assert (same.returncode, grown.returncode) == (0, 0), same.stderr + grown.stderr
    assert "1 to create" in grown.stdout
    assert wiped.returncode == HELD, wiped.stdout + wiped.stderr
    assert f"{MANY} to hold" in wiped.stdout
    assert refused.returncode == 2
    assert approved.returncode == 0, approved.stdout + approved.stderr
    assert f"{MANY} to delete" in approved.stdout

    requests = asked(world.cluster, namespace, "presync-plan")
    unread = {(request.resource, request.namespace) for request in requests if not request.allowed}
    told_as_remarks = {("configmaps", "coldsend"), ("secrets", "coldsend"), ("secrets", namespace)}
    assert unread <= told_as_remarks
    made = rendered(yaml.safe_dump_all(sync.built))
    assert unneeded(rights_of(made, "presync-plan"), requests) == []


def account(namespace: str, name: str) -> dict[str, Any]:
    spec = {
        "inboxType": "GOOGLE_WORKSPACE",
        "emailAddress": f"{name}@company.com",
        "displayName": name,
        "smtp": {"passwordSecretRef": {"name": "login"}},
    }
    made = named("SenderAccount", namespace, name, spec=spec)
    return {**made, "metadata": {**made["metadata"], "labels": LABELS}}
