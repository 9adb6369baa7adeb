"""Policies of the cluster that refuse what the operator writes: the object says which, and why."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.stage.api_server import Object, named
from tests.e2e.stage.operators import running_operator
from tests.e2e.stage.stage import Shown, Stage, eventually, staged
from tests.e2e.stage.world import World

PROBE = "probe"  # an object by which the test sees that the policy is in force
SAME = "object.metadata.?finalizers.orValue([]) == oldObject.metadata.?finalizers.orValue([])"
WHY = "finalizers are changed by administrators alone"


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Iterator[Stage]:
    with staged(world, "policy") as made:
        settings = {
            "COLDSEND_API_URL": made.emulator.api_url,
            "COLDSEND_NAMESPACES": made.namespace,
            "COLDSEND_LEASE_NAMESPACE": made.namespace,
        }
        with running_operator(world.cluster.kubeconfig, tmp_path, **settings) as operator:
            operator.wait_until_ready()
            yield made


@contextmanager
def policy(stage: Stage) -> Iterator[None]:
    """Refuses changes of the finalizers of accounts in the namespace of the stage."""
    name, server = f"policy-{stage.namespace}", stage.server
    rule = {"apiGroups": ["coldsend.pro"], "apiVersions": ["*"], "operations": ["UPDATE"]}
    spec = {
        "matchConstraints": {"resourceRules": [{**rule, "resources": ["senderaccounts"]}]},
        "validations": [{"expression": SAME, "message": WHY}],
    }
    namespaces = {"matchLabels": {"kubernetes.io/metadata.name": stage.namespace}}
    matches = {"namespaceSelector": namespaces}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": matches}
    server.apply(named("ValidatingAdmissionPolicy", "", name, spec=spec))
    server.apply(named("ValidatingAdmissionPolicyBinding", "", name, spec=binding))
    try:
        eventually(lambda: _refuses(stage), "the effect of the policy")
        yield
    finally:
        server.delete("ValidatingAdmissionPolicyBinding", "", name)
        server.delete("ValidatingAdmissionPolicy", "", name)


def _refuses(stage: Stage) -> bool:
    change = '{"metadata":{"finalizers":["example.com/probe"]}}'
    flags = ("--type=merge", "--dry-run=server", "-n", stage.namespace, "-p", change)
    return WHY in stage.server.kubectl("patch", f"senderaccount/{PROBE}", *flags, check=False).stderr


def events(stage: Stage) -> list[Object]:
    return stage.server.items("Event", stage.namespace)


def says_why(shown: Shown) -> bool:
    return shown.condition("Ready").startswith("False") and WHY in shown.message("Ready")


def test_a_policy_that_refuses_finalizers_is_named_on_the_object_and_nothing_is_created(stage: Stage) -> None:
    stage.make(PROBE)
    with policy(stage):
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
    with policy(stage):
        stage.delete("ann")
        shown = stage.until("ann", says_why, "the refusal")
        assert shown.condition("Ready") == "False Deleting"
    stage.annotate("ann", reconcile="now")
    stage.gone("ann")
