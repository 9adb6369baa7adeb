"""Policies of the cluster that refuse what the operator writes: the object says which, and why."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.batches.pool import Pool
from tests.e2e.support.api_server import Object, Refused, named
from tests.e2e.support.operators import running_operator
from tests.e2e.support.tenant import Shown, Tenant, eventually, opened_tenant
from tests.e2e.support.world import World

ACCOUNTS, BATCHES = "senderaccounts", "senderaccountbatches"
PROBE = "probe"  # an object by which the test sees that the policy is in force
SAME = "object.metadata.?finalizers.orValue([]) == oldObject.metadata.?finalizers.orValue([])"
STRIP = 'has(object.metadata.finalizers) ? [JSONPatch{op: "remove", path: "/metadata/finalizers"}] : []'
WHY = "finalizers are changed by administrators alone"


@pytest.fixture
def tenant(world: World, tmp_path: Path) -> Iterator[Tenant]:
    with opened_tenant(world, "policy") as made:
        settings = {
            "COLDSEND_API_URL": made.emulator.api_url,
            "COLDSEND_NAMESPACES": made.namespace,
            "COLDSEND_LEASE_NAMESPACE": made.namespace,
        }
        with running_operator(world.cluster.kubeconfig, tmp_path, **settings):
            yield made


@contextmanager
def refusing(tenant: Tenant, resource: str = ACCOUNTS, probe: str = PROBE) -> Iterator[None]:
    """A policy that refuses changes of the finalizers of a kind in the namespace of the tenant."""
    spec = {"validations": [{"expression": SAME, "message": WHY}]}
    change = '{"metadata":{"finalizers":["example.com/probe"]}}'
    with policy(tenant, "ValidatingAdmissionPolicy", spec, {"validationActions": ["Deny"]}, resource):
        eventually(lambda: WHY in try_on_probe(tenant, change, resource, probe).stderr, "the effect of the policy")
        yield
    eventually(lambda: WHY not in try_on_probe(tenant, change, resource, probe).stderr, "the end of the policy")


@contextmanager
def stripping(tenant: Tenant) -> Iterator[None]:
    """A policy that removes the finalizers from each change."""
    mutation = {"patchType": "JSONPatch", "jsonPatch": {"expression": STRIP}}
    spec = {"mutations": [mutation], "reinvocationPolicy": "Never"}
    change = '{"metadata":{"labels":{"a":"b"}}}'
    with policy(tenant, "MutatingAdmissionPolicy", spec, {}):
        eventually(lambda: "coldsend.pro/finalizer" not in try_on_probe(tenant, change).stdout, "its effect")
        yield
    eventually(lambda: "coldsend.pro/finalizer" in try_on_probe(tenant, change).stdout, "its end")


@contextmanager
def policy(tenant: Tenant, kind: str, spec: Object, binding: Object, resource: str = ACCOUNTS) -> Iterator[None]:
    name, server = f"policy-{tenant.namespace}", tenant.server
    rule = {"apiGroups": ["coldsend.pro"], "apiVersions": ["*"], "operations": ["UPDATE"]}
    constraints = {"resourceRules": [{**rule, "resources": [resource]}]}
    matches = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": tenant.namespace}}}
    bound = {**binding, "policyName": name, "matchResources": matches}
    server.apply(named(kind, "", name, spec={**spec, "matchConstraints": constraints}))
    server.apply(named(f"{kind}Binding", "", name, spec=bound))
    try:
        yield
    finally:
        server.delete(f"{kind}Binding", "", name)
        server.delete(kind, "", name)


def try_on_probe(
    tenant: Tenant, change: str, resource: str = ACCOUNTS, probe: str = PROBE
) -> "subprocess.CompletedProcess[str]":
    flags = ("--type=merge", "--dry-run=server", "-o", "json", "-n", tenant.namespace, "-p", change)
    return tenant.server.kubectl("patch", f"{resource}/{probe}", *flags, check=False)


def events(tenant: Tenant) -> list[Object]:
    return tenant.server.items("Event", tenant.namespace)


def says_why(shown: Shown) -> bool:
    return shown.condition("Ready").startswith("False") and WHY in shown.message("Ready")


def test_a_policy_that_refuses_finalizers_is_named_on_the_object_and_nothing_is_created(tenant: Tenant) -> None:
    tenant.make(PROBE)
    with refusing(tenant):
        tenant.apply("ann")
        shown = tenant.until("ann", says_why, "the refusal")
        assert shown.condition("Ready") == "False Provisioning"
        assert not tenant.inboxes("ann")
        eventually(lambda: any(WHY in each["note"] for each in events(tenant)), "an Event with the refusal")
    tenant.annotate("ann", reconcile="now")
    tenant.ready("ann")
    assert len(tenant.inboxes("ann")) == 1


def test_a_policy_that_keeps_the_finalizer_of_a_deleted_object_is_named_on_it(tenant: Tenant) -> None:
    tenant.make(PROBE)
    tenant.make("ann")
    with refusing(tenant):
        tenant.delete("ann")
        shown = tenant.until("ann", says_why, "the refusal")
        assert shown.condition("Ready") == "False Deleting"
    with suppress(Refused):  # the operator may have tried again by itself, and the object be gone
        tenant.annotate("ann", reconcile="now")
    tenant.gone("ann")


def test_a_policy_that_keeps_the_finalizer_of_a_deleted_batch_is_named_in_an_event(tenant: Tenant) -> None:
    pool = Pool(tenant)
    pool.apply("ann")
    pool.until(lambda shown: shown.status.get("ready") == 1, "its inbox")
    with refusing(tenant, BATCHES, pool.name):
        pool.delete()
        eventually(lambda: any(WHY in each["note"] for each in events(tenant)), "an Event with the refusal")
    with suppress(Refused):  # as above
        pool.annotate(touched="now")
    pool.gone()


def test_a_policy_that_removes_the_finalizers_from_what_is_written_is_told_and_nothing_is_created(
    tenant: Tenant,
) -> None:
    """Rule 4: mark before you write, and a mark that the API server did not keep is none."""
    tenant.make(PROBE)
    with stripping(tenant):
        tenant.apply("ann")
        tenant.until("ann", lambda shown: "mutating policy" in shown.message("Ready"), "what removes them")
        assert not tenant.inboxes("ann")
    tenant.annotate("ann", reconcile="now")
    tenant.ready("ann")
    assert len(tenant.inboxes("ann")) == 1
