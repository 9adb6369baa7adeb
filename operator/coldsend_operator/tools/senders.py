"""SenderAccounts of the cluster for commands; status is untrusted input and read by the core's own reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.core.model.answers import address_key
from coldsend_operator.core.model.stored import NOT_HELD_ORIGINS
from coldsend_operator.core.model.stored_status import Status, account_status
from coldsend_operator.resources.names import API_KEY_KEY, BATCH_LABEL
from coldsend_operator.tools.manifests import mapping

KeyReference = tuple[str, str, str]  # namespace, Secret, key


@dataclass(frozen=True, slots=True)
class Sender:
    """One SenderAccount. `address` is in the compared form, empty while unknown."""

    namespace: str
    name: str
    batch: str
    address: str
    inbox_type: str
    key: KeyReference | None  # None: the operator's own key
    observes: bool
    status: Status
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def inbox_id(self) -> str | None:
        found: str | None = self.status.get("inboxID")
        return found

    @property
    def holds(self) -> bool:
        """Whether the object created or adopted the inbox."""
        return self.inbox_id is not None and self.status.get("origin") not in NOT_HELD_ORIGINS

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def ready(self) -> bool:
        return bool(self._condition("Ready").get("status") == "True")

    @property
    def reason(self) -> str:
        return str(self._condition("Ready").get("reason", ""))

    def says(self, reason: str) -> bool:
        """Whether a condition has this reason."""
        return any(each.get("reason") == reason for each in self.status.get("conditions", ()))

    @property
    def unhealthy_since(self) -> str:
        """Since when Healthy is False (RFC 3339); empty if it is not."""
        healthy = self._condition("Healthy")
        return str(healthy.get("lastTransitionTime", "")) if healthy.get("status") == "False" else ""

    def _condition(self, kind: str) -> Mapping[str, Any]:
        return next((each for each in self.status.get("conditions", ()) if each["type"] == kind), {})


def read_sender(raw: Mapping[str, Any]) -> Sender:
    """Read the object, however its spec and status look."""
    metadata, spec = raw["metadata"], mapping(raw.get("spec"))
    status = account_status(raw.get("status"))
    namespace, labels = metadata["namespace"], mapping(metadata.get("labels"))
    reference = mapping(spec.get("apiKeySecretRef"))
    key = (namespace, str(reference.get("name")), str(reference.get("key") or API_KEY_KEY)) if reference else None
    return Sender(
        namespace=namespace,
        name=metadata["name"],
        batch=str(labels.get(BATCH_LABEL, "")),
        address=address_key(_address(spec) or status.get("emailAddress", "")),
        inbox_type=str(spec.get("inboxType") or status.get("inboxType", "")),
        key=key,
        observes=spec.get("managementPolicy") == "Observe",
        status=status,
        labels=labels,
    )


def _address(spec: Mapping[str, Any]) -> str:
    native = mapping(spec.get("native"))
    if native.get("domainName"):
        return f"{native.get('emailPrefix', '')}@{native['domainName']}"
    return str(spec.get("emailAddress") or "")
