"""Lint, schema and templates, without a cluster."""

import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from charts.document import chart_values, files
from coldsend_operator.settings import Settings
from tests.chart.support import CHART, NAMESPACE, RELEASE, Helm, HelmError, Object, Rendered, rendered
from tests.chart.switched import ALL, Switched, nested

OPENSHIFT = {"runAsUser", "runAsGroup", "fsGroup"}
"""What a security context constraint chooses for each namespace."""


@pytest.mark.parametrize("each", ALL, ids=[each.path for each in ALL])
def test_each_value_does_what_it_says(helm: Helm, each: Switched) -> None:
    assert not _shows(helm, {**each.beside}, each)
    assert each.shows(helm.render(each.values))


def test_no_value_is_without_such_a_test() -> None:
    assert {each.path for each in ALL} == {each.path for each in chart_values()}


def test_every_leaf_of_values_yaml_has_its_comment() -> None:
    described = {each.path for each in chart_values()}
    assert {
        path for path in _leaves(yaml.safe_load((CHART / "values.yaml").read_text()), "") if path not in described
    } == set()


def test_every_setting_of_the_operator_can_be_made(helm: Helm) -> None:
    made = {
        "COLDSEND_API_KEY_FILE": "apiKey",
        "COLDSEND_NAMESPACES": "namespaces",
        "COLDSEND_CA_FILE": "caBundle.configMap",
        "COLDSEND_METRICS_ADDRESS": "metrics.enabled",
        "COLDSEND_PROBES_ADDRESS": "always",
        "COLDSEND_LEADER_ELECTION": "always",
        "COLDSEND_LEASE_NAME": "always",
        "COLDSEND_LEASE_NAMESPACE": "always",
    }
    set_by_name = {
        name
        for each in ALL
        if each.path.startswith("settings.")
        for name in helm.render(each.values).env
        if name.startswith("COLDSEND_")
    }
    asked = {f"COLDSEND_{name.upper()}" for name in Settings.model_fields} - {"COLDSEND_API_KEY"}
    assert asked == set_by_name | made.keys()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"setings": {}}, "setings"),
        ({"settings": {"sweepSecond": 1}}, "sweepSecond"),
        ({"settings": {"sweepSeconds": 0}}, "sweepSeconds"),
        ({"settings": {"deleteBrake": "half"}}, "deleteBrake"),
        ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
        ({"image": {"registry": "https://registry.example.com"}}, "registry"),
        ({"image": {"registry": "registry.example.com/"}}, "registry"),
        ({"image": {"repository": "coldsend-operator:0.1.0"}}, "repository"),
        ({"replicas": "two"}, "replicas"),
        ({"settings": None}, "missing property 'settings'"),  # all its lines are comments
        ({"metrics": {"dashboard": None}}, "missing property 'dashboard'"),
        ({"namespaces": "sales"}, "namespaces"),
        ({"networkPolicy": {"egressCIDRs": ["everywhere"]}}, "egressCIDRs"),
        ({"planAccess": {"subjects": [{"kind": "ServiceAccount", "name": "plan"}]}}, "subjects"),
        ({"planAccess": {"subjects": [{"kind": "Robot", "name": "plan"}]}}, "subjects"),
        ({"apiKey": {"value": "a", "existingSecret": "b"}}, "not both"),
        ({"settings": {"healthLow": 80, "healthGood": 70.5}}, "healthLow must not be above healthGood"),
        ({"metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}}, "not both"),
        ({"metrics": {"podMonitor": {"enabled": True}, "enabled": False}}, "need metrics.enabled"),
    ],
)
def test_what_cannot_be_meant_is_refused(helm: Helm, values: Object, complaint: str) -> None:
    with pytest.raises(HelmError, match=complaint):
        helm.text(values)


@pytest.mark.parametrize("name", ["podSecurityContext", "securityContext"])
def test_a_default_of_a_security_context_that_is_null_is_left_out(helm: Helm, name: str) -> None:
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())[name]
    for key in defaults:
        made = helm.render({name: {key: None}})
        contexts = [made.pod["spec"]["securityContext"], made.container["securityContext"]]
        shown = contexts[0 if name == "podSecurityContext" else 1]
        assert shown.keys() == defaults.keys() - {key}


def test_what_openshift_chooses_itself_can_be_left_out_in_a_dependency_too(helm: Helm, tmp_path: Path) -> None:
    made = as_dependency(helm, tmp_path, {"podSecurityContext": dict.fromkeys(OPENSHIFT)})
    assert not OPENSHIFT & made.pod["spec"]["securityContext"].keys()
    assert made.pod["spec"]["securityContext"]["runAsNonRoot"] is True


def test_the_chart_may_be_a_dependency_of_another_chart_that_has_global_values(helm: Helm, tmp_path: Path) -> None:
    made = as_dependency(helm, tmp_path, {"crds": {"install": False}}, {"region": "eu"})
    assert "Deployment" in made.kinds
    assert "CustomResourceDefinition" not in made.kinds


def test_the_usual_condition_of_a_parent_chart_is_no_unknown_value(helm: Helm, tmp_path: Path) -> None:
    assert "Deployment" in as_dependency(helm, tmp_path, {"enabled": True}).kinds


@pytest.mark.parametrize("registry", ["registry.example.com", "localhost:5000/team/mail", "[fd00::5]:5000"])
def test_a_registry_may_have_a_port_and_a_path(helm: Helm, registry: str) -> None:
    made = helm.render({"image": {"registry": registry, "repository": "team/operator"}})
    assert made.container["image"].startswith(f"{registry}/team/operator:")


def test_helm_finds_nothing_to_complain_about(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART))


def test_names_fit_for_a_release_of_any_name(helm: Helm) -> None:
    made = helm.render(release="a" * 53)
    assert all(len(each["metadata"]["name"]) <= 63 for each in made.objects if each["kind"] in {"Service", "Pod"})


def test_a_variable_of_extra_env_replaces_that_of_the_chart_as_server_side_apply_refuses_a_name_twice(
    helm: Helm,
) -> None:
    given = [{"name": "COLDSEND_PROBES_ADDRESS", "value": ":9"}, {"name": "no_proxy", "value": "a"}]
    env = helm.render({"extraEnv": given, "proxy": {"https": "http://proxy:3128"}}).container["env"]
    names = [each["name"] for each in env]
    assert len(set(names)) == len(names)
    assert all(each in env for each in given)


def test_a_proxy_of_extra_env_is_not_used_for_the_api_server_either(helm: Helm) -> None:
    proxy = {"name": "HTTPS_PROXY", "valueFrom": {"secretKeyRef": {"name": "proxy", "key": "url"}}}
    assert "$(KUBERNETES_SERVICE_HOST)" in helm.render({"extraEnv": [proxy]}).env["NO_PROXY"]


def test_an_annotation_of_the_pods_may_replace_that_of_the_chart(helm: Helm) -> None:
    text = helm.text({"podAnnotations": {"kubectl.kubernetes.io/default-container": "mesh"}})
    assert "default-container: operator" not in text  # a key twice is refused by tools that read YAML strictly


def test_replicas_that_are_null_are_left_to_others_and_zero_is_none(helm: Helm) -> None:
    assert "replicas" not in helm.render({"replicas": None}).one("Deployment")["spec"]
    assert helm.render({"replicas": 0}).one("Deployment")["spec"]["replicas"] == 0


def test_a_list_or_map_that_is_null_is_empty(helm: Helm) -> None:
    switched_on: Object = {
        each.path: True for each in ALL if each.path.endswith(".enabled") and "podMonitor" not in each.path
    }
    empty: Object = {each.path: None for each in ALL if isinstance(each.value, dict | list)}
    assert "Deployment" in helm.render(nested({**switched_on, **empty, "planAccess.create": True})).kinds


def test_the_values_of_the_previous_version_are_enough_as_reuse_values_keeps_only_those(
    helm: Helm, tmp_path: Path
) -> None:
    (packed,) = (Path(__file__).parent / "previous").glob("*.tgz")
    chart = tmp_path / CHART.name
    shutil.copytree(CHART, chart)
    with tarfile.open(packed) as previous:
        values = previous.extractfile(f"{CHART.name}/values.yaml")
        assert values is not None
        (chart / "values.yaml").write_bytes(values.read())
    on = helm.values({"networkPolicy": {"enabled": True}, "metrics": {"prometheusRule": {"enabled": True}}})
    made = rendered(helm("template", RELEASE, str(chart), "--namespace", NAMESPACE, "--values", on))
    dns, _ = made.one("NetworkPolicy")["spec"]["egress"]
    assert {each["port"] for each in dns["ports"]} == {53, 5353}


def test_the_pod_of_helm_test_runs_where_the_operator_may_run(helm: Helm) -> None:
    place = {"nodeSelector": {"pool": "mail"}, "tolerations": [{"operator": "Exists"}], "priorityClassName": "high"}
    nodes: Object = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
    mesh = {"podLabels": {"sidecar": "off"}, "podAnnotations": {"inject": "false"}}
    pod = helm.render({**place, "affinity": nodes, **mesh}).one("Pod", f"{RELEASE}-test")
    assert {**place, "affinity": nodes}.items() <= pod["spec"].items()
    assert pod["metadata"]["labels"]["sidecar"] == "off"
    assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == "test"
    assert pod["metadata"]["annotations"].items() >= {"inject": "false", "helm.sh/hook": "test"}.items()


@pytest.mark.parametrize("path", ["egressCIDRs", "ports"])
def test_a_network_policy_without_destinations_allows_none_beside_dns(helm: Helm, path: str) -> None:
    made = helm.render({"networkPolicy": {"enabled": True, path: []}})
    (dns,) = made.one("NetworkPolicy")["spec"]["egress"]
    assert {each["port"] for each in dns["ports"]} == {53, 5353}


def test_every_object_that_has_a_namespace_names_it(helm: Helm) -> None:
    cluster_wide = {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
    assert {
        each["metadata"].get("namespace") for each in helm.render().objects if each["kind"] not in cluster_wide
    } == {NAMESPACE}


def test_the_crds_of_the_release_are_the_generated_ones_and_stay(helm: Helm) -> None:
    made = {each["metadata"]["name"]: each for each in helm.render().of("CustomResourceDefinition")}
    generated = [yaml.safe_load(path.read_text()) for path in (CHART.parents[1] / "crds").glob("*.yaml")]
    assert {name: each["spec"] for name, each in made.items()} == {
        each["metadata"]["name"]: each["spec"] for each in generated
    }
    assert all(each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for each in made.values())


def test_readme_and_copied_crds_are_current() -> None:
    assert {path: text for path, text in files().items() if not _holds(path, text)} == {}


def test_no_rule_has_a_wildcard_or_lists_secrets(helm: Helm) -> None:
    made = helm.render()
    rules = [rule for kind in ("Role", "ClusterRole") for each in made.of(kind) for rule in each["rules"]]
    assert not [rule for rule in rules if "*" in (*rule["verbs"], *rule["apiGroups"], *rule["resources"])]
    on_secrets = {verb for rule in rules if "secrets" in rule["resources"] for verb in rule["verbs"]}
    assert on_secrets == {"get", "create"}


def test_with_namespaces_there_is_a_role_in_each_and_nothing_cluster_wide(helm: Helm) -> None:
    made = helm.render({"namespaces": ["sales", "support"], "crds": {"install": False}})
    assert not made.kinds & {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}
    assert {each["metadata"]["namespace"] for each in made.of("Role")} == {"sales", "support", NAMESPACE}
    own = made.one("Role", RELEASE)["rules"]
    assert {
        name
        for rule in own
        if "secrets" in rule["resources"] and "get" in rule["verbs"]
        for name in rule["resourceNames"]
    } == {"coldsend-operator-hmac"}


def as_dependency(helm: Helm, folder: Path, values: Object, shared: Object | None = None) -> Rendered:
    """What a chart makes of ours as its dependency; `shared` are its global values."""
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "parent", "version": "1.0.0"}))
    (folder / "charts").mkdir()
    (folder / "charts" / CHART.name).symlink_to(CHART)
    path = helm.values({"global": shared or {}, CHART.name: values})
    return rendered(helm("template", RELEASE, str(folder), "--namespace", NAMESPACE, "--values", path))


def _shows(helm: Helm, beside: Object, each: Switched) -> bool:
    """Whether the release shows it without the value, too: then the test of the value would prove nothing."""
    first, *rest = [*beside.items(), ("", None)]
    values = Switched(first[0], first[1], each.shows, dict(rest[:-1])).values if beside else {}
    try:
        return each.shows(helm.render(values))
    except (KeyError, IndexError, TypeError, ValueError):
        return False


def _leaves(values: Any, path: str) -> list[str]:
    if not isinstance(values, dict) or not values:
        return [path]
    if path in {"resources", "podSecurityContext", "securityContext", "metrics.dashboard.labels"}:
        return [path]
    return [leaf for key, value in values.items() for leaf in _leaves(value, f"{path}.{key}".lstrip("."))]


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text
