"""A release on a real API server. No pods run there: the operator is a process with all that its pod would have."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.chart.support import CHART, RELEASE, Helm, Object, Rendered
from tests.e2e.support.operators import OperatorRun, running_operator
from tests.e2e.support.tenant import Tenant
from tests.e2e.support.world import World

QUICK: Object = {
    "sweepSeconds": 1,
    "pollSeconds": 0.2,
    "secretCheckSeconds": 1,
    "lostCallSeconds": 3,
    "counterSeconds": 0,
    "requestsPerMinute": 1_000_000,
    "requestsPerHour": 60_000_000,
    "logLevel": "debug",
}
"""The settings with which stories take seconds, as values of the chart."""


def values(tenant: Tenant) -> Object:
    """Of a release whose API key is in the namespace of the tenant."""
    return {
        "apiKey": {"existingSecret": "workspace"},
        "settings": {**QUICK, "apiUrl": tenant.emulator.api_url},
    }


@dataclass(frozen=True)
class Release:
    """A release in `namespace`; `made` are the objects that Helm stores of it."""

    world: World
    helm: Helm
    namespace: str
    made: Rendered

    @property
    def account(self) -> str:
        name: str = self.made.pod["spec"]["serviceAccountName"]
        return name

    def _given(self, variable: Object) -> str:
        """What the kubelet would give to the pod."""
        if "valueFrom" in variable:
            assert variable["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
            return self.namespace
        return str(variable["value"])

    def operator(self, key: Path, **beside: str) -> AbstractContextManager[OperatorRun]:
        """One pod's container as a ready process; `key` is the file that the kubelet would mount."""
        container = self.made.container
        assert container["args"] == ["run"]
        environment = {each["name"]: self._given(each) for each in container["env"]}
        assert environment["COLDSEND_API_KEY_FILE"].startswith(container["volumeMounts"][0]["mountPath"])
        environment["COLDSEND_API_KEY_FILE"] = str(key)
        for name in ("COLDSEND_METRICS_ADDRESS", "COLDSEND_PROBES_ADDRESS"):
            del environment[name]  # fixed ports suit a pod with an address of its own
        token = self.world.server.token(self.namespace, self.account)
        kubeconfig = self.world.cluster.kubeconfig_for(token)
        return running_operator(kubeconfig, self.world.folder, **environment, **beside)


def install(world: World, helm: Helm, namespace: str, values: Object, *flags: str, chart: Path = CHART) -> Release:
    """`helm install`; that nothing is waited for is Helm's default."""
    at = helm.at(world.cluster)
    at("install", RELEASE, str(chart), "--namespace", namespace, "--values", at.values(values), *flags)
    return Release(world, at, namespace, at.stored(namespace))


def upgrade(release: Release, values: Object) -> Release:
    """`helm upgrade` to the chart of this checkout."""
    helm, namespace = release.helm, release.namespace
    helm("upgrade", RELEASE, str(CHART), "--namespace", namespace, "--values", helm.values(values))
    return Release(release.world, helm, namespace, helm.stored(namespace))
