"""Policies of the cluster that refuse what the operator writes: the object says which, and why."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.batches.pool import Pool
from tests.e2e.stage.api_server import Object, Refused, named
from tests.e2e.stage.operators import running_operator
from tests.e2e.stage.stage import Shown, Stage, eventually, staged
from tests.e2e.stage.world import World

ACCOUNTS, BATCHES = "senderaccounts", "senderaccountbatches"
PROBE = "probe"  # an object by which the test sees that the policy is in force
SAME = "object.metadata.?finalizers.orValue([]) == oldObject.metadata.?finalizers.orValue([])"
STRIP = 'has(object.metadata.finalizers) ? [JSONPatch{op: "remove", path: "/metadata/finalizers"}] : []'
WHY = "finalizers are changed by administrators alone"


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Iterator[Stage]:
    with staged(world, "policy") as made:
        settings = {
            "COLDSEND_API_URL": made.emulator.api_url,
            "COLDSEND_NAMESPACES": made.namespace,
            "COLDSEND_LEASE_NAMESPACE": made.namespace,
        }
        with running_operator(world.cluster.kubeconfig, tmp_path, **settings):
            yield made


@contextmanager
def refusing(stage: Stage, resource: str = ACCOUNTS, probe: str = PROBE) -> Iterator[None]:
    """A policy that refuses changes of the finalizers of a kind in the namespace of the stage."""
    spec = {"validations": [{"expression": SAME, "message": WHY}]}
    change = '{"metadata":{"finalizers":["example.com/probe"]}}'
    with policy(stage, "ValidatingAdmissionPolicy", spec, {"validationActions": ["Deny"]}, resource):
        eventually(lambda: WHY in try_on_probe(stage, change, resource, probe).stderr, "the effect of the policy")
        yield
    eventually(lambda: WHY not in try_on_probe(stage, change, resource, probe).stderr, "the end of the policy")


@contextmanager
def stripping(stage: Stage) -> Iterator[None]:
    """A policy that removes the finalizers from each change."""
    mutation = {"patchType": "JSONPatch", "jsonPatch": {"expression": STRIP}}
    spec = {"mutations": [mutation], "reinvocationPolicy": "Never"}
    change = '{"metadata":{"labels":{"a":"b"}}}'
    with policy(stage, "MutatingAdmissionPolicy", spec, {}):
        eventually(lambda: "coldsend.pro/finalizer" not in try_on_probe(stage, change).stdout, "its effect")
        yield
    eventually(lambda: "coldsend.pro/finalizer" in try_on_probe(stage, change).stdout, "its end")


@contextmanager
def policy(stage: Stage, kind: str, spec: Object, binding: Object, resource: str = ACCOUNTS) -> Iterator[None]:
    name, server = f"policy-{stage.namespace}", stage.server
    rule = {"apiGroups": ["coldsend.pro"], "apiVersions": ["*"], "operations": ["UPDATE"]}
    constraints = {"resourceRules": [{**rule, "resources": [resource]}]}
    matches = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": stage.namespace}}}
    bound = {**binding, "policyName": name, "matchResources": matches}
    server.apply(named(kind, "", name, spec={**spec, "matchConstraints": constraints}))
    server.apply(named(f"{kind}Binding", "", name, spec=bound))
    try:
        yield
    finally:
        server.delete(f"{kind}Binding", "", name)
        server.delete(kind, "", name)


def try_on_probe(
    stage: Stage, change: str, resource: str = ACCOUNTS, probe: str = PROBE
) -> "subprocess.CompletedProcess[str]":
    flags = ("--type=merge", "--dry-run=server", "-o", "json", "-n", stage.namespace, "-p", change)
    return stage.server.kubectl("patch", f"{resource}/{probe}", *flags, check=False)


def events(stage: Stage) -> list[Object]:
    return stage.server.items("Event", stage.namespace)


def says_why(shown: Shown) -> bool:
    return shown.condition("Ready").startswith("False") and WHY in shown.message("Ready")


def test_a_policy_that_refuses_finalizers_is_named_on_the_object_and_nothing_is_created(stage: Stage) -> None:
    stage.make(PROBE)
    with refusing(stage):
        stage.apply("ann")
        shown = stage.until("ann", says_why, "the refusal")
        assert shown.condition("Ready") == "False Provisioning"
        assert not stage.inboxes("ann")
        eventually(lambda: any(WHY in each["note"] for each in events(stage)), "an Event with the refusal")
    stage.annotate("ann", reconcile="now")
    stage.ready("ann")
    assert len(stage.inboxes("ann")) == 1


def test_a_policy_that_keeps_the_finalizer_of_a_deleted_object_is_named_on_it(stage: Stage) -> None:
    stage.make(PROBE)
    stage.make("ann")
    with refusing(stage):
        stage.delete("ann")
        shown = stage.until("ann", says_why, "the refusal")
        assert shown.condition("Ready") == "False Deleting"
    with suppress(Refused):  # the operator may have tried again by itself, and the object be gone
        stage.annotate("ann", reconcile="now")
    stage.gone("ann")


def test_a_policy_that_keeps_the_finalizer_of_a_deleted_batch_is_named_in_an_event(stage: Stage) -> None:
    pool = Pool(stage)
    pool.apply("ann")
    pool.until(lambda shown: shown.status.get("ready") == 1, "its inbox")
    with refusing(stage, BATCHES, pool.name):
        pool.delete()
        eventually(lambda: any(WHY in each["note"] for each in events(stage)), "an Event with the refusal")
    with suppress(Refused):  # as above
        pool.annotate(touched="now")
    pool.gone()


def test_a_policy_that_removes_the_finalizers_from_what_is_written_is_told_and_nothing_is_created(
    stage: Stage,
) -> None:
    """Rule 4: mark before you write, and a mark that the API server did not keep is none."""
    stage.make(PROBE)
    with stripping(stage):
        stage.apply("ann")
        stage.until("ann", lambda shown: "mutating policy" in shown.message("Ready"), "what removes them")
        assert not stage.inboxes("ann")
    stage.annotate("ann", reconcile="now")
    stage.ready("ann")
    assert len(stage.inboxes("ann")) == 1
