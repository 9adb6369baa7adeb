"""The permissions that the operator needs, as the chart grants them (a test compares them)."""

from collections.abc import Iterator
from dataclasses import dataclass

from coldsend_operator.credentials.passwords import HMAC_SECRET
from coldsend_operator.kube.state import state_name
from coldsend_operator.resources.names import ACCOUNT_PLURAL, BATCH_PLURAL, GROUP


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource. `namespace` empty: in all of them."""

    group: str
    resource: str
    verb: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    def attributes(self) -> dict[str, str]:
        """The attributes for an access review."""
        told = {
            "group": self.group,
            "resource": self.resource,
            "subresource": self.subresource,
            "verb": self.verb,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {name: value for name, value in told.items() if value}

    def __str__(self) -> str:
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        what += f".{self.group}" if self.group else ""
        what += f" {self.name}" if self.name else ""
        return f"{self.verb} {what} in {f'namespace {self.namespace}' if self.namespace else 'all namespaces'}"


_WORK = (
    (GROUP, ACCOUNT_PLURAL, "", ("get", "list", "watch", "create", "patch", "delete")),
    (GROUP, BATCH_PLURAL, "", ("get", "list", "watch", "patch")),
    (GROUP, ACCOUNT_PLURAL, "status", ("patch",)),
    (GROUP, BATCH_PLURAL, "status", ("patch",)),
    ("", "secrets", "", ("get",)),
    ("", "namespaces", "", ("get",)),
    ("events.k8s.io", "events", "", ("create",)),
)


def work_rights(namespace: str) -> Iterator[Right]:
    """Where SenderAccounts are; an empty namespace stands for all of them."""
    for group, resource, subresource, verbs in _WORK:
        for verb in verbs:
            name = namespace if resource == "namespaces" else ""
            yield Right(group, resource, verb, subresource, namespace, name)


def own_rights(namespace: str, lease: str) -> Iterator[Right]:
    """In the namespace of the operator."""
    leases = "coordination.k8s.io", "leases"
    yield Right(*leases, "create", namespace=namespace)
    yield from (Right(*leases, verb, namespace=namespace, name=lease) for verb in ("get", "update"))
    yield Right("", "configmaps", "create", namespace=namespace)
    yield from (Right("", "configmaps", verb, namespace=namespace, name=state_name(lease)) for verb in ("get", "patch"))
    yield Right("", "secrets", "create", namespace=namespace)
    yield Right("", "secrets", "get", namespace=namespace, name=HMAC_SECRET)
