"""The roles that people have in a namespace cover our kinds there, by aggregation."""

from collections.abc import Iterator

import pytest

from tests.chart.installed import install
from tests.chart.support import KINDS, RELEASE, Helm
from tests.e2e.support.api_server import named
from tests.e2e.support.tenant import Tenant, eventually, opened_tenant
from tests.e2e.support.world import World

ROLES = ("view", "edit", "admin")
READ, WRITE = ("get", "list", "watch"), ("create", "update", "patch", "delete", "deletecollection")


@pytest.fixture
def tenant(world: World, helm: Helm) -> Iterator[Tenant]:
    """For each role a person of that name who has it here."""
    with opened_tenant(world, "people") as here:
        release = install(world, helm, here.namespace, {"crds": {"install": False}})
        for role in ROLES:
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
            person = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": role}
            world.server.apply(named("RoleBinding", here.namespace, role, roleRef=reference, subjects=[person]))
        yield here
        release.helm("uninstall", RELEASE, "--namespace", here.namespace)


def test_view_reads_and_edit_and_admin_write_too(tenant: Tenant) -> None:
    eventually(lambda: all(_may(tenant, role, "get", KINDS[0]) for role in ROLES), "the aggregated rules")
    for kind in KINDS:
        assert [[_may(tenant, role, verb, kind) for verb in READ] for role in ROLES] == [[True] * len(READ)] * 3
        assert not any(_may(tenant, "view", verb, kind) for verb in WRITE)
        assert all(_may(tenant, role, verb, kind) for role in ("edit", "admin") for verb in WRITE)


def test_nobody_but_the_operator_writes_status(tenant: Tenant) -> None:
    eventually(lambda: _may(tenant, "view", "get", "senderaccounts/status"), "the aggregated rules")
    assert not any(_may(tenant, role, "patch", f"{kind}/status") for role in ROLES for kind in KINDS)


def _may(tenant: Tenant, person: str, verb: str, resource: str) -> bool:
    kind, _, part = resource.partition("/")
    asked = {
        "namespace": tenant.namespace,
        "verb": verb,
        "group": "coldsend.pro",
        "resource": kind,
        "subresource": part,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": person, "resourceAttributes": asked},
    }
    answer = tenant.server.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    allowed: bool = answer["status"]["allowed"]
    return allowed
