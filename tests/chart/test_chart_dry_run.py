"""The API server takes every object of the chart, with strict validation; it stores none of them."""

import subprocess

import pytest
import yaml

from tests.chart.support import NAMESPACE, Helm, Object
from tests.chart.switched import DIGEST, EVERYTHING, nested
from tests.e2e.support.world import World
from tests.kube.support import established

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
MONITORS = {"ServiceMonitor": "servicemonitors", "PodMonitor": "podmonitors", "PrometheusRule": "prometheusrules"}


@pytest.fixture(scope="module")
def ready(world: World) -> World:
    """The namespaces of the release, and the Prometheus operator's kinds: by name, its schemas are not here."""
    for name in (NAMESPACE, "sales", "support", "456"):
        _apply(world, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}})
    for kind, plural in MONITORS.items():
        _apply(world, _definition(kind, plural))
    names = [f"crd/{plural}.monitoring.coreos.com" for plural in MONITORS.values()]
    established(world.cluster, *names)
    return world


VALUES: dict[str, Object] = {
    "defaults": {},
    # Services of the control plane of the tests have IPv4 addresses only.
    "everything_at_once": {name: value for name, value in EVERYTHING.items() if name != "service.ipFamilies"},
    "some_namespaces": {"namespaces": ["sales", "support"], "apiKey.existingSecret": "mine"},
    "a_pod_monitor": {"metrics.podMonitor.enabled": True},
    "a_digest": {"image.digest": DIGEST},
}


@pytest.mark.parametrize("flat", [pytest.param(flat, id=name) for name, flat in VALUES.items()])
def test_the_api_server_takes_the_chart_with(ready: World, helm: Helm, flat: Object) -> None:
    text = helm.text(nested(flat))
    said = _dry_run(ready, text)
    count = len([each for each in yaml.safe_load_all(text) if each])
    assert said.stdout.count("serverside-applied (server dry run)") == count


@pytest.mark.parametrize(
    ("release", "namespace"), [("123", "456"), ("1e5", "456"), ("my.release", NAMESPACE), ("2024-01-01", NAMESPACE)]
)
def test_the_api_server_takes_names_that_look_like_numbers_or_have_dots(
    ready: World, helm: Helm, release: str, namespace: str
) -> None:
    named = ("serviceAccount.name", "apiKey.existingSecret", "apiKey.key", "caBundle.configMap", "caBundle.key")
    values = {"namespaces": ["456"], "networkPolicy.enabled": True, "metrics.dashboard.enabled": True}
    _dry_run(ready, helm.text(nested({**values, **dict.fromkeys(named, "789")}), release, namespace))
    _dry_run(ready, helm.text({"fullnameOverride": "123", "apiKey": {"value": "1", "key": "true"}}, release, namespace))


def test_the_pods_fit_the_restricted_standard(ready: World, helm: Helm) -> None:
    assert "Warning" not in _dry_run(ready, helm.text()).stderr


def test_a_field_that_no_kind_has_would_be_refused(ready: World, helm: Helm) -> None:
    text = helm.text({"affinity": {"nodeAfinity": {}}})
    with pytest.raises(subprocess.CalledProcessError) as refused:
        _dry_run(ready, text)
    assert "nodeAfinity" in refused.value.stderr


def _dry_run(world: World, manifests: str) -> subprocess.CompletedProcess[str]:
    path = world.folder / "manifests.yaml"
    path.write_text(manifests)
    flags = ("--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts")
    return world.server.kubectl("apply", *flags, "-f", str(path))


def _apply(world: World, body: Object) -> None:
    path = world.folder / "object.yaml"
    path.write_text(yaml.safe_dump(body))
    world.server.kubectl("apply", "--server-side", "-f", str(path))


def _definition(kind: str, plural: str) -> Object:
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.monitoring.coreos.com",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a stand-in of a test"},
        },
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": anything}],
        },
    }
