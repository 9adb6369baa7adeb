"""Every value of the chart, switched once: what is set, and what then stands in the release."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.chart.support import NAMESPACE, RELEASE, Object, Rendered

DIGEST = f"sha256:{'0' * 64}"
DASHBOARD = f"{RELEASE}-dashboard"
_PLAN = f"{NAMESPACE}-{RELEASE}-plan"
ALERTS: Object = {"metrics.prometheusRule.enabled": True}


@dataclass(frozen=True)
class Switched:
    """A value by its path, what it is set to, what else must be set, and what shows it."""

    path: str
    value: Any
    shows: Callable[[Rendered], bool]
    beside: Object = field(default_factory=dict)

    @property
    def values(self) -> Object:
        return nested({**self.beside, self.path: self.value})


def nested(flat: Object) -> Object:
    """Values by their paths, as values.yaml has them."""
    made: Object = {}
    for path, value in flat.items():
        *above, last = path.split(".")
        place = made
        for key in above:
            place = place.setdefault(key, {})
        place[last] = value
    return made


def _setting(name: str, value: Any, variable: str, text: str) -> Switched:
    return Switched(f"settings.{name}", value, lambda made: made.env[f"COLDSEND_{variable}"] == text)


def _monitor(path: str, kind: str, endpoints: str) -> list[Switched]:
    on = {f"{path}.enabled": True}
    rule = [{"action": "drop", "sourceLabels": ["pod"]}]

    def endpoint(made: Rendered) -> Object:
        found: Object = made.one(kind)["spec"][endpoints][0]
        return found

    return [
        Switched(f"{path}.enabled", True, lambda made: kind in made.kinds),
        Switched(f"{path}.interval", "15s", lambda made: endpoint(made)["interval"] == "15s", on),
        Switched(f"{path}.relabelings", rule, lambda made: endpoint(made)["relabelings"] == rule, on),
        Switched(f"{path}.metricRelabelings", rule, lambda made: endpoint(made)["metricRelabelings"] == rule, on),
    ]


def _pod(path: str, value: Any, key: str | None = None) -> Switched:
    return Switched(path, value, lambda made: made.pod["spec"][key or path] == value)


def _container(path: str, value: Any, key: str) -> Switched:
    return Switched(path, value, lambda made: all(each in made.container[key] for each in value))


def _named(made: Rendered, kind: str) -> set[str]:
    return {each["metadata"]["name"] for each in made.of(kind)}


def _volume(made: Rendered, name: str) -> Object | None:
    return next((each for each in made.pod["spec"].get("volumes", []) if each["name"] == name), None)


def _alerts(made: Rendered) -> list[Object]:
    return [rule for group in made.one("PrometheusRule")["spec"]["groups"] for rule in group["rules"]]


def _egress(made: Rendered) -> Object:
    rule: Object = made.one("NetworkPolicy")["spec"]["egress"][1]
    return rule


def _cluster_wide(made: Rendered) -> set[str]:
    """Resources that the operator may touch in every namespace."""
    (binding,) = made.of("ClusterRoleBinding")
    rules = made.one("ClusterRole", binding["roleRef"]["name"])["rules"]
    return {resource for rule in rules for resource in rule["resources"]}


NAMES = [
    Switched("nameOverride", "mail", lambda made: f"{RELEASE}-mail" in _named(made, "Deployment")),
    Switched("fullnameOverride", "mail", lambda made: made.one("Deployment", "mail") is not None),
    Switched(
        "commonLabels",
        {"team": "mail"},
        lambda made: all(each["metadata"]["labels"]["team"] == "mail" for each in (*made.objects, made.pod)),
    ),
    Switched("image.registry", "mirror:5000", lambda made: made.container["image"].startswith("mirror:5000/")),
    Switched("image.repository", "a/b", lambda made: made.container["image"].startswith("a/b:")),
    Switched("image.tag", "7", lambda made: made.container["image"].endswith(":7")),
    Switched("image.digest", DIGEST, lambda made: made.container["image"].endswith(f"operator@{DIGEST}")),
    Switched("image.pullPolicy", "Always", lambda made: made.container["imagePullPolicy"] == "Always"),
    _pod("image.pullSecrets", [{"name": "mirror"}], "imagePullSecrets"),
]

KEYS = [
    Switched(
        "apiKey.existingSecret",
        "mine",
        lambda made: (_volume(made, "api-key") or {})["secret"]["secretName"] == "mine" and "Secret" not in made.kinds,
    ),
    Switched(
        "apiKey.key",
        "token",
        lambda made: made.env["COLDSEND_API_KEY_FILE"] == "/etc/coldsend/api-key/token",
        {"apiKey.existingSecret": "mine"},
    ),
    Switched(
        "apiKey.value",
        "cs_live_trial",
        lambda made: made.one("Secret", f"{RELEASE}-api-key")["stringData"] == {"apiKey": "cs_live_trial"},
    ),
    Switched(
        "namespaces",
        ["sales", "support"],
        lambda made: made.env["COLDSEND_NAMESPACES"] == "sales,support" and "ClusterRole" not in made.kinds,
    ),
]

SETTINGS = [
    _setting("apiUrl", "https://example.com/v1", "API_URL", "https://example.com/v1"),
    _setting("requestsPerMinute", 1_000_000, "REQUESTS_PER_MINUTE", "1000000"),
    _setting("requestsPerHour", 60_000_000, "REQUESTS_PER_HOUR", "60000000"),
    _setting("reserve", 0, "RESERVE", "0"),
    _setting("sweepSeconds", 60, "SWEEP_SECONDS", "60"),
    _setting("pollSeconds", 0.5, "POLL_SECONDS", "0.5"),
    _setting("lostCallSeconds", 60, "LOST_CALL_SECONDS", "60"),
    _setting("counterSeconds", 0, "COUNTER_SECONDS", "0"),
    _setting("secretCheckSeconds", 60, "SECRET_CHECK_SECONDS", "60"),
    _setting("adoptionDefault", "Adopt", "ADOPTION_DEFAULT", "Adopt"),
    _setting("deletionDefault", "Orphan", "DELETION_DEFAULT", "Orphan"),
    _setting("domainMetrics", True, "DOMAIN_METRICS", "on"),
    _setting("freeze", True, "FREEZE", "on"),
    _setting("auditLog", "/audit/writes.log", "AUDIT_LOG", "/audit/writes.log"),
    _setting("healthLow", 60, "HEALTH_LOW", "60"),
    _setting("healthGood", 80.5, "HEALTH_GOOD", "80.5"),
    _setting("deleteBrake", "100%", "DELETE_BRAKE", "100%"),
    _setting("operatorKeyNamespaces", ["a", "b"], "OPERATOR_KEY_NAMESPACES", "a,b"),
    _setting("adoptNamespaces", ["a"], "ADOPT_NAMESPACES", "a"),
    _setting("labelSelector", "shard in (a, b)", "LABEL_SELECTOR", "shard in (a, b)"),
    _setting("accountMetrics", False, "ACCOUNT_METRICS", "off"),
    _setting("logFormat", "console", "LOG_FORMAT", "console"),
    _setting("logLevel", "debug", "LOG_LEVEL", "debug"),
]

ROLES = [
    Switched("crds.install", False, lambda made: "CustomResourceDefinition" not in made.kinds),
    Switched(
        "crds.keep",
        False,
        lambda made: not any(each["metadata"].get("annotations") for each in made.of("CustomResourceDefinition")),
    ),
    Switched(
        "crds.annotations",
        {"a": "b"},
        lambda made: all(
            each["metadata"]["annotations"] == {"a": "b", "helm.sh/resource-policy": "keep"}
            for each in made.of("CustomResourceDefinition")
        ),
    ),
    Switched("rbac.create", False, lambda made: not made.kinds & {"Role", "RoleBinding", "ClusterRoleBinding"}),
    Switched(
        "rbac.outliveNamespaces",
        True,
        lambda made: "secrets" not in _cluster_wide(made),
        {"namespaces": ["sales"]},
    ),
    Switched("rbac.aggregate", False, lambda made: len(made.of("ClusterRole")) == 1),
    Switched("planAccess.create", True, lambda made: _PLAN in _named(made, "ClusterRole")),
    Switched(
        "planAccess.subjects",
        [{"kind": "Group", "name": "ci"}],
        lambda made: made.one("ClusterRoleBinding", _PLAN)["subjects"][0]["name"] == "ci",
        {"planAccess.create": True},
    ),
    Switched(
        "planAccess.aggregateTo",
        ["view"],
        lambda made: (
            "rbac.authorization.k8s.io/aggregate-to-view" in made.one("ClusterRole", _PLAN)["metadata"]["labels"]
        ),
        {"planAccess.create": True},
    ),
    Switched("serviceAccount.create", False, lambda made: made.pod["spec"]["serviceAccountName"] == "default"),
    Switched("serviceAccount.name", "mail", lambda made: made.one("RoleBinding")["subjects"][0]["name"] == "mail"),
    Switched(
        "serviceAccount.annotations",
        {"a": "b"},
        lambda made: made.one("ServiceAccount")["metadata"]["annotations"] == {"a": "b"},
    ),
]

PODS = [
    Switched("replicas", 1, lambda made: made.one("Deployment")["spec"]["replicas"] == 1),
    Switched("revisionHistoryLimit", 1, lambda made: made.one("Deployment")["spec"]["revisionHistoryLimit"] == 1),
    Switched("podDisruptionBudget.enabled", False, lambda made: "PodDisruptionBudget" not in made.kinds),
    Switched(
        "topologySpreadConstraints",
        [{"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}],
        lambda made: [each["topologyKey"] for each in made.pod["spec"]["topologySpreadConstraints"]] == ["rack"],
    ),
    _pod("priorityClassName", "system-cluster-critical"),
    _pod("terminationGracePeriodSeconds", 60),
    Switched(
        "resources",
        {"limits": {"memory": "1Gi"}},
        lambda made: made.container["resources"]["limits"] == {"memory": "1Gi"},
    ),
    Switched(
        "podSecurityContext", {"runAsUser": 1}, lambda made: made.pod["spec"]["securityContext"]["runAsUser"] == 1
    ),
    Switched(
        "securityContext",
        {"privileged": False},
        lambda made: made.container["securityContext"]["privileged"] is False,
    ),
    Switched("podLabels", {"a": "b"}, lambda made: made.pod["metadata"]["labels"]["a"] == "b"),
    Switched("podAnnotations", {"a": "b"}, lambda made: made.pod["metadata"]["annotations"]["a"] == "b"),
    Switched(
        "deploymentAnnotations",
        {"a": "b"},
        lambda made: made.one("Deployment")["metadata"]["annotations"] == {"a": "b"},
    ),
    _pod("nodeSelector", {"kubernetes.io/os": "linux"}),
    _pod("tolerations", [{"key": "a", "operator": "Exists"}]),
    _pod("affinity", {"nodeAffinity": {}}),
    _container("extraArgs", ["--log-level=debug"], "args"),
    _container("extraEnv", [{"name": "A", "value": "b"}], "env"),
    _container("extraEnvFrom", [{"secretRef": {"name": "a"}}], "envFrom"),
    Switched("extraVolumes", [{"name": "a", "emptyDir": {}}], lambda made: _volume(made, "a") is not None),
    _container("extraVolumeMounts", [{"name": "a", "mountPath": "/a"}], "volumeMounts"),
]

NETWORK = [
    Switched("caBundle.configMap", "trust", lambda made: (_volume(made, "ca") or {})["configMap"] == {"name": "trust"}),
    Switched(
        "caBundle.key",
        "bundle.pem",
        lambda made: made.env["COLDSEND_CA_FILE"] == "/etc/coldsend/ca/bundle.pem",
        {"caBundle.configMap": "trust"},
    ),
    Switched("proxy.https", "http://proxy:3128", lambda made: made.env["HTTPS_PROXY"] == "http://proxy:3128"),
    Switched("proxy.http", "http://proxy:3128", lambda made: made.env["HTTP_PROXY"] == "http://proxy:3128"),
    Switched(
        "proxy.none",
        "corp",
        lambda made: made.env["NO_PROXY"].split(",")[::5] == ["$(KUBERNETES_SERVICE_HOST)", "corp"],
        {"proxy.https": "http://proxy:3128"},
    ),
    Switched(
        "service.ipFamilyPolicy",
        "PreferDualStack",
        lambda made: made.one("Service")["spec"]["ipFamilyPolicy"] == "PreferDualStack",
    ),
    Switched(
        "service.ipFamilies",
        ["IPv6", "IPv4"],
        lambda made: made.one("Service")["spec"]["ipFamilies"] == ["IPv6", "IPv4"],
    ),
    Switched("networkPolicy.enabled", True, lambda made: "NetworkPolicy" in made.kinds),
    Switched(
        "networkPolicy.egressCIDRs",
        ["10.0.0.0/8"],
        lambda made: _egress(made)["to"] == [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        {"networkPolicy.enabled": True},
    ),
    Switched(
        "networkPolicy.ports",
        [443],
        lambda made: _egress(made)["ports"] == [{"port": 443}],
        {"networkPolicy.enabled": True},
    ),
    Switched(
        "networkPolicy.dnsPorts",
        [5353],
        lambda made: {each["port"] for each in made.one("NetworkPolicy")["spec"]["egress"][0]["ports"]} == {5353},
        {"networkPolicy.enabled": True},
    ),
    Switched(
        "networkPolicy.extraEgress",
        [{"to": [{"podSelector": {}}]}],
        lambda made: {"to": [{"podSelector": {}}]} in made.one("NetworkPolicy")["spec"]["egress"],
        {"networkPolicy.enabled": True},
    ),
    Switched(
        "networkPolicy.metricsFrom",
        [{"namespaceSelector": {}}],
        lambda made: made.one("NetworkPolicy")["spec"]["ingress"][1]["from"] == [{"namespaceSelector": {}}],
        {"networkPolicy.enabled": True},
    ),
]

METRICS = [
    Switched("metrics.enabled", False, lambda made: made.env["COLDSEND_METRICS_ADDRESS"] == "off"),
    Switched(
        "metrics.labels",
        {"release": "prometheus"},
        lambda made: made.one("ServiceMonitor")["metadata"]["labels"]["release"] == "prometheus",
        {"metrics.serviceMonitor.enabled": True},
    ),
    *_monitor("metrics.serviceMonitor", "ServiceMonitor", "endpoints"),
    *_monitor("metrics.podMonitor", "PodMonitor", "podMetricsEndpoints"),
    Switched("metrics.prometheusRule.enabled", True, lambda made: "PrometheusRule" in made.kinds),
    Switched(
        "metrics.prometheusRule.alertLabels",
        {"team": "mail"},
        lambda made: all(each["labels"]["team"] == "mail" for each in _alerts(made)),
        ALERTS,
    ),
    Switched(
        "settings.healthLow",
        60,
        lambda made: all(
            "< 60" in each["expr"] and "below 60" in str(each["annotations"])
            for each in _alerts(made)
            if each["alert"] in {"ColdSendHealthLow", "ColdSendDomainBurning"}
        ),
        ALERTS,
    ),
    Switched(
        "metrics.prometheusRule.disabled",
        ["ColdSendNoLeader"],
        lambda made: "ColdSendNoLeader" not in {each["alert"] for each in _alerts(made)},
        ALERTS,
    ),
    Switched(
        "metrics.prometheusRule.runbookURL",
        "https://wiki/",
        lambda made: all(
            each["annotations"]["runbook_url"] == f"https://wiki/{each['alert']}" for each in _alerts(made)
        ),
        ALERTS,
    ),
    Switched("metrics.dashboard.enabled", True, lambda made: "ConfigMap" in made.kinds),
    Switched(
        "metrics.dashboard.labels",
        {"boards": "yes"},
        lambda made: made.one("ConfigMap", DASHBOARD)["metadata"]["labels"]["boards"] == "yes",
        {"metrics.dashboard.enabled": True},
    ),
    Switched(
        "metrics.dashboard.annotations",
        {"folder": "Mail"},
        lambda made: made.one("ConfigMap", DASHBOARD)["metadata"]["annotations"] == {"folder": "Mail"},
        {"metrics.dashboard.enabled": True},
    ),
    Switched("tests.enabled", False, lambda made: "Pod" not in made.kinds),
]

ALL = [*NAMES, *KEYS, *SETTINGS, *ROLES, *PODS, *NETWORK, *METRICS]

_OFF = {"crds.install", "rbac.create", "rbac.aggregate", "serviceAccount.create", "metrics.enabled", "tests.enabled"}
"""Those whose test takes objects away."""
_RIVALS = {
    "podDisruptionBudget.enabled",
    "namespaces",
    "apiKey.existingSecret",
    "image.digest",
    "metrics.podMonitor.enabled",
}
"""Those that hide what others show, or are refused beside them."""
EVERYTHING: Object = {each.path: each.value for each in ALL if each.path not in _OFF | _RIVALS}
"""As many as one release can have, by path."""
