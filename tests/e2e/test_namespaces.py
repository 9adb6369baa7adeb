"""An operator whose rights lie in the namespaces that it watches, and the end of such a namespace."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.e2e.support.api_server import named
from tests.e2e.support.operators import OperatorRun, running_operator
from tests.e2e.support.tenant import Tenant, eventually, opened_tenant
from tests.e2e.support.world import World

GROUP = "coldsend.pro"
KINDS = ["senderaccounts", "senderaccountbatches"]
LASTING = [
    {"apiGroups": [GROUP], "resources": KINDS, "verbs": ["get", "list", "watch", "patch"]},
    {"apiGroups": [GROUP], "resources": [f"{kind}/status" for kind in KINDS], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
]
"""What the chart grants everywhere with rbac.outliveNamespaces."""
WITHIN = [
    *LASTING,
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create"]},
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch"]},
    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]},
]
NAMES = ("ann", "bob", "carl")
QUIET_SECONDS = 8.0
MAX_LINES = 2 * len(NAMES)  # a finalizer and a status of each


@contextmanager
def operator_with_roles(home: Tenant, watched: Tenant, folder: Path) -> Iterator[OperatorRun]:
    server, account = home.server, f"operator-{watched.namespace}"
    server.apply(named("ServiceAccount", home.namespace, account))
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": home.namespace}]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"}
    for namespace in (home.namespace, watched.namespace):
        server.apply(named("Role", namespace, "operator", rules=WITHIN))
        server.apply(named("RoleBinding", namespace, "operator", roleRef=reference, subjects=subjects))
    config = yaml.safe_load(home.world.cluster.kubeconfig.read_text())
    config["users"] = [{"name": each["name"], "user": {"token": ""}} for each in config["users"]]
    for each in config["users"]:
        each["user"]["token"] = server.token(home.namespace, account)
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    settings = {
        "COLDSEND_API_URL": home.emulator.api_url,
        "COLDSEND_NAMESPACES": watched.namespace,
        "COLDSEND_LEASE_NAMESPACE": home.namespace,
    }
    with running_operator(path, folder, **settings) as operator:
        yield operator


def outlive(tenant: Tenant, home: Tenant) -> None:
    name, account = f"outlive-{tenant.namespace}", f"operator-{tenant.namespace}"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": home.namespace}]
    tenant.server.apply(
        named("ClusterRole", "", name, rules=LASTING),
        named("ClusterRoleBinding", "", name, roleRef=reference, subjects=subjects),
    )


def refusals(operator: OperatorRun, namespace: str) -> list[str]:
    entries = [json.loads(line) for line in operator.lines().splitlines() if line.startswith("{")]
    return [
        each["message"] for each in entries if each["event"] == "call_failed" and each.get("namespace") == namespace
    ]


@pytest.mark.parametrize("lasting", [False, True])
def test_a_namespace_that_goes_with_the_rights_in_it(world: World, tmp_path: Path, lasting: bool) -> None:
    """Without rights that last it hangs, which is said once; with them it goes."""
    with (
        opened_tenant(world, "home") as home,
        opened_tenant(world, "goes") as tenant,
        operator_with_roles(home, tenant, tmp_path) as operator,
    ):
        tenant.make_each(*NAMES)
        if lasting:
            outlive(tenant, home)
        tenant.server.delete("Namespace", "", tenant.namespace)
        eventually(lambda: not any(tenant.inboxes(name) for name in NAMES), "the end of the inboxes")
        if not lasting:
            eventually(lambda: refusals(operator, tenant.namespace), "a word about the rights that are gone")
            time.sleep(QUIET_SECONDS)
            said = refusals(operator, tenant.namespace)
            assert len(said) <= MAX_LINES, said
            assert all("orbidden" in each for each in said)
            outlive(tenant, home)  # the way out that the docs name
        for name in NAMES:
            tenant.gone(name)
