"""The installed operator: its Deployment and the settings in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coldsend_operator.kube.errors import Forbidden
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.setting_texts import PREFIX
from coldsend_operator.tools.cluster import items

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
        """The label selector of its pods."""
        wanted = (self.raw["spec"].get("selector") or {}).get("matchLabels") or {}
        return ",".join(f"{name}={value}" for name, value in sorted(wanted.items()))

    @property
    def images(self) -> list[str]:
        return [str(container.get("image")) for container in self._containers]

    @property
    def container(self) -> str:
        """The name of the operator's container."""
        named = [str(each["name"]) for each in self._containers]
        return "operator" if "operator" in named else named[0]

    @property
    def arguments(self) -> list[str]:
        return [str(each) for container in self._containers for each in container.get("args") or ()]

    @property
    def variables(self) -> list[Mapping[str, Any]]:
        """The environment variables as in the Deployment."""
        return [variable for container in self._containers for variable in container.get("env") or ()]

    def setting(self, name: str) -> str:
        """The literal value in the Deployment; empty if it is unset or comes from elsewhere."""
        found = (each for each in self.variables if each.get("name") == f"{PREFIX}{name}")
        return next((str(each.get("value") or "") for each in found), "")

    @property
    def _containers(self) -> list[Mapping[str, Any]]:
        return list(self._pod.get("containers") or ())

    @property
    def _pod(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.raw["spec"]["template"]["spec"]
        return found


async def installations(kube: KubeReads, namespace: str) -> list[Installation]:
    """The operators of the cluster, or of `namespace` alone if no more may be read. Raises Forbidden."""
    given = {"labelSelector": LABELS}
    try:
        found = await items(kube, f"{_DEPLOYMENTS}/deployments", given)
    except Forbidden:
        found = await items(kube, f"{_DEPLOYMENTS}/namespaces/{namespace}/deployments", given)
    return [Installation(raw) for raw in found]
