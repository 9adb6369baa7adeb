"""The operator as it is installed in the cluster: its Deployment, and the settings that stand there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coldsend_operator.kube.errors import Forbidden
from coldsend_operator.settings import PREFIX
from coldsend_operator.tools.doors import KubeReader

LABELS = "app.kubernetes.io/part-of=coldsend-operator"
VERSION_LABEL = "app.kubernetes.io/version"
_DEPLOYMENTS = "/apis/apps/v1"


@dataclass(frozen=True, slots=True)
class Installation:
    """One Deployment of the operator."""

    raw: Mapping[str, Any]

    @property
    def namespace(self) -> str:
        return str(self.raw["metadata"]["namespace"])

    @property
    def name(self) -> str:
        return str(self.raw["metadata"]["name"])

    @property
    def service_account(self) -> str:
        return str(self._pod.get("serviceAccountName") or "default")

    @property
    def version(self) -> str:
        return str((self.raw["metadata"].get("labels") or {}).get(VERSION_LABEL) or "")

    @property
    def selector(self) -> str:
        """Its pods."""
        wanted = (self.raw["spec"].get("selector") or {}).get("matchLabels") or {}
        return ",".join(f"{name}={value}" for name, value in sorted(wanted.items()))

    def setting(self, name: str) -> str:
        """What the Deployment says in plain; empty where it says nothing, or takes it from elsewhere."""
        for container in self._pod.get("containers") or ():
            for variable in container.get("env") or ():
                if variable.get("name") == f"{PREFIX}{name}":
                    return str(variable.get("value") or "")
        return ""

    @property
    def _pod(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.raw["spec"]["template"]["spec"]
        return found


async def installations(kube: KubeReader, namespace: str) -> list[Installation]:
    """All of the cluster, or only those of `namespace` where no more may be read. Raises Forbidden."""
    given = {"labelSelector": LABELS}
    try:
        found = await kube.items(f"{_DEPLOYMENTS}/deployments", given)
    except Forbidden:
        found = await kube.items(f"{_DEPLOYMENTS}/namespaces/{namespace}/deployments", given)
    return [Installation(raw) for raw in found]
