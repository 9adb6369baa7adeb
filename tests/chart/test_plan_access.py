"""`planAccess`: what it grants suffices for `plan`, and `plan` asks for all of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chart.installed import Release, install
from tests.chart.rights import asked, rights_of, unneeded
from tests.chart.support import KINDS, RELEASE, Helm
from tests.e2e.support.api_server import named
from tests.e2e.support.tenant import eventually, opened_tenant
from tests.e2e.support.world import World

ACCOUNT = "plan"


@dataclass(frozen=True)
class Reader:
    """A ServiceAccount that the release names, and a namespace with an object."""

    release: Release
    sales: str
    kubeconfig: Path
    everywhere: bool

    def plan(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        around = {name: value for name, value in os.environ.items() if not name.startswith("COLDSEND_")}
        environment = {
            "KUBECONFIG": str(self.kubeconfig),
            "COLDSEND_LEASE_NAMESPACE": self.release.namespace,
            "COLDSEND_LEASE_NAME": RELEASE,
        }
        where = ("-A",) if self.everywhere else ("-n", self.sales)
        command = [sys.executable, "-m", "coldsend_operator", "plan", "-o", "json", *where, *arguments]
        return subprocess.run(command, env={**around, **environment}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=["everywhere", "in_a_namespace"])
def reader(request: pytest.FixtureRequest, world: World, helm: Helm) -> Iterator[Reader]:
    everywhere = request.param == "everywhere"
    with opened_tenant(world, "home") as home, opened_tenant(world, "sales") as sales:
        world.server.apply(named("ServiceAccount", sales.namespace, ACCOUNT))
        subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": sales.namespace}
        values = {
            "crds": {"install": False},
            "namespaces": [] if everywhere else [sales.namespace],
            "planAccess": {"create": True, "subjects": [subject]},
        }
        release = install(world, helm, home.namespace, values)
        state = named("ConfigMap", home.namespace, f"{RELEASE}-state", data={})
        spec = {"inboxType": "GOOGLE_WORKSPACE", "emailAddress": "a@company.com", "managementPolicy": "Observe"}
        world.server.apply(state, named("SenderAccount", sales.namespace, "observed", spec=spec))
        kubeconfig = world.cluster.kubeconfig_for(world.server.token(sales.namespace, ACCOUNT))
        yield Reader(release, sales.namespace, kubeconfig, everywhere)
        world.server.delete("SenderAccount", sales.namespace, "observed")
        release.helm("uninstall", RELEASE, "--namespace", home.namespace)


def test_it_suffices_for_a_plan_that_misses_nothing_and_nothing_of_it_can_be_left_out(reader: Reader) -> None:
    run = reader.plan()
    assert run.returncode in {0, 3}, run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    unread = [each for each in told["warnings"] if "cannot be read" in each or "may not read" in each]
    assert not [each for each in unread if "Secret" not in each]
    assert told["summary"]

    requests = asked(reader.release.world.cluster, reader.sales, ACCOUNT)
    assert {request.verb for request in requests} == {"get", "list"}
    assert {request.resource for request in requests if not request.allowed} <= {"secrets"}  # which are a remark
    assert unneeded(rights_of(reader.release.made, ACCOUNT), requests) == []


def test_it_reads_no_secret_and_writes_nothing(reader: Reader) -> None:
    granted = rights_of(reader.release.made, ACCOUNT)
    assert {(right.verb, right.resource) for right in granted} == {
        *(("list", kind) for kind in KINDS),
        ("get", "namespaces"),
        ("get", "configmaps"),
    }


def test_it_can_be_added_to_a_role_of_people(world: World, helm: Helm) -> None:
    with opened_tenant(world, "people") as tenant:
        label = "rbac.authorization.k8s.io/aggregate-to-planners"
        person = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "pat"}
        role = named(
            "ClusterRole", "", "planners", aggregationRule={"clusterRoleSelectors": [{"matchLabels": {label: "true"}}]}
        )
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "planners"}
        world.server.apply(role, named("RoleBinding", tenant.namespace, "pat", roleRef=reference, subjects=[person]))
        values = {"crds": {"install": False}, "planAccess": {"create": True, "aggregateTo": ["planners"]}}
        release = install(world, helm, tenant.namespace, values)
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": "pat",
                "resourceAttributes": {
                    "namespace": tenant.namespace,
                    "verb": "list",
                    "group": "coldsend.pro",
                    "resource": KINDS[0],
                },
            },
        }

        def may() -> bool:
            answer = world.server.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
            allowed: bool = answer["status"]["allowed"]
            return allowed

        eventually(may, "the aggregated rules")
        release.helm("uninstall", RELEASE, "--namespace", tenant.namespace)
        world.server.delete("ClusterRole", "", "planners")
