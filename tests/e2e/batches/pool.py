"""A batch of a tenant of its own: what people do with it, and what they see of it and of its SenderAccounts."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from coldsend_operator.resources.children import child_name
from tests.e2e.manifests.builders import changed
from tests.e2e.support.account_watch import PATIENCE
from tests.e2e.support.api_server import GROUP, Object
from tests.e2e.support.tenant import CHECK_SECONDS, LOGIN, WORKSPACE, Shown, Tenant, opened_tenant
from tests.e2e.support.world import World

FINALIZER = "coldsend.pro/finalizer"
ANN, BOB, CAT, DAN, EVE = "ann", "bob", "cat", "dan", "eve"


@dataclass
class Pool:
    """One namespace and one ColdSend workspace. Inboxes go by the local part of their address."""

    tenant: Tenant
    name: str = "pool"
    inboxes: list[Object] = field(default_factory=list)
    template: Object = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    spec: Object = field(default_factory=dict)

    # What people do

    def apply(self, *inboxes: str | Object, **template: Any) -> None:
        """The batch with these inboxes (names, or items of the list); changes to the template stay."""
        self.inboxes = [each if isinstance(each, dict) else self.item(each) for each in inboxes]
        self.template = changed(self.template, template)
        self._put()

    def change_template(self, **template: Any) -> None:
        self.template = changed(self.template, template)
        self._put()

    def limit(self, unavailable: int | str) -> None:
        self.spec["maxUnavailable"] = unavailable

    def item(self, name: str, **fields: Any) -> Object:
        who = {"emailPrefix": name} if self.native else {"emailAddress": self.tenant.address(name)}
        return {**who, "displayName": name.capitalize(), **fields}

    @property
    def native(self) -> bool:
        return self.template.get("inboxType") == "COLDSEND"

    def manifest(self) -> Object:
        base: Object = {
            "inboxType": "GOOGLE_WORKSPACE",
            "dailyLimit": 50,
            "smtp": {"passwordSecretRef": {"name": LOGIN}},
            "apiKeySecretRef": {"name": WORKSPACE},
        }
        metadata = {
            "name": self.name,
            "namespace": self.tenant.namespace,
            "labels": self.tenant.labels,
            "annotations": self.annotations,
        }
        spec = {"template": changed(base, self.template), "inboxes": self.inboxes, **self.spec}
        return {
            "apiVersion": "coldsend.pro/v1alpha1",
            "kind": "SenderAccountBatch",
            "metadata": metadata,
            "spec": spec,
        }

    def _put(self) -> None:
        self.tenant.server.apply(self.manifest())

    def annotate(self, **annotations: str | None) -> None:
        found = {f"coldsend.pro/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.tenant.server.merge(
            "SenderAccountBatch", self.tenant.namespace, self.name, {"metadata": {"annotations": found}}
        )

    def delete(self, propagation: str = "Background") -> None:
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        self.tenant.server.ask("DELETE", self._path, options)

    @property
    def _path(self) -> str:
        return f"{GROUP}/namespaces/{self.tenant.namespace}/senderaccountbatches/{self.name}"

    def until_collected(self) -> None:
        """Waits for Kubernetes' garbage collector, which finds out about new kinds twice a minute.

        It knows accounts when it takes one away whose owner never was, and batches when it lets one of them go.
        """
        orphan = self.tenant.manifest("orphan")
        owner = {"apiVersion": orphan["apiVersion"], "kind": "SenderAccountBatch", "name": "never", "uid": str(uuid4())}
        orphan["metadata"] |= {"ownerReferences": [owner], "labels": {}}
        self.tenant.server.apply(orphan)
        self.tenant.gone("orphan")
        unseen = Pool(self.tenant, "unseen")
        body = {**unseen.manifest(), "metadata": {"name": unseen.name, "namespace": self.tenant.namespace}}
        self.tenant.server.apply(body)
        unseen.delete("Orphan")
        unseen.gone()

    # What people see of the batch

    def raw(self) -> Object | None:
        return self.tenant.server.get("SenderAccountBatch", self.tenant.namespace, self.name)

    @property
    def uid(self) -> str:
        found = self.raw()
        assert found is not None
        return str(found["metadata"]["uid"])

    def until(self, good: Callable[[Shown], bool], what: object) -> Shown:
        """The batch once it is good."""
        end = time.monotonic() + PATIENCE
        while True:
            found = self.raw()
            if found is not None and good(Shown(found)):
                return Shown(found)
            shown = found and found.get("status")
            assert time.monotonic() < end, (
                f"the batch never showed {what}; its status is\n{json.dumps(shown, indent=1)}"
            )
            time.sleep(CHECK_SECONDS)

    def shows(self, **conditions: str) -> Shown:
        """The batch once its status refers to the present spec, with these conditions ("True Active")."""

        def good(shown: Shown) -> bool:
            return shown.settled and all(shown.condition(kind) == wanted for kind, wanted in conditions.items())

        return self.until(good, conditions)

    def ready(self) -> Shown:
        return self.shows(Ready="True Active", Synced="True InSync")

    def make(self, *inboxes: str | Object, **template: Any) -> Shown:
        """Apply the batch, and wait until it is Ready."""
        self.apply(*inboxes, **template)
        return self.ready()

    def remove(self) -> None:
        """Delete the batch, and wait until it is gone."""
        self.delete()
        self.gone()

    def figures(self, **figures: object) -> Shown:
        """The batch once its status refers to the present spec and has these figures."""

        def good(shown: Shown) -> bool:
            return shown.settled and all(shown.status.get(name) == wanted for name, wanted in figures.items())

        return self.until(good, figures)

    def gone(self) -> None:
        end = time.monotonic() + PATIENCE
        while (found := self.raw()) is not None:
            assert time.monotonic() < end, f"the batch is still there: {json.dumps(found, indent=1)}"
            time.sleep(CHECK_SECONDS)

    def events(self) -> list[str]:
        return self.tenant.events(self.name)

    # What people see of its children

    def child(self, name: str) -> str:
        """The name of the SenderAccount of this inbox."""
        return child_name(self.name, name if self.native else self.tenant.address(name))

    def account(self, name: str) -> Shown:
        found = self.tenant.server.get("SenderAccount", self.tenant.namespace, self.child(name))
        assert found is not None, f"there is no SenderAccount for {name}"
        return Shown(found)

    def accounts(self) -> dict[str, Shown]:
        found = self.tenant.server.items("SenderAccount", self.tenant.namespace)
        return {each["metadata"]["name"]: Shown(each) for each in found}

    def until_account(self, name: str, good: Callable[[Shown], bool], what: object) -> Shown:
        return self.tenant.until(self.child(name), good, what)

    def happened(self, name: str) -> list[str]:
        return self.tenant.happened(name)


@contextmanager
def pooled(world: World, title: str, labels: dict[str, str]) -> Iterator[Pool]:
    with opened_tenant(world, title, labels) as tenant:
        yield Pool(tenant)
