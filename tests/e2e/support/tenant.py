"""A namespace and a ColdSend workspace for one story, with the actions of people and what they see."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import devcluster
from coldsend_emulator.running import RunningEmulator
from tests.e2e.manifests.builders import changed
from tests.e2e.support import manifests
from tests.e2e.support.account_watch import PATIENCE
from tests.e2e.support.api_server import GROUP, MERGE, ApiServer, Object, Refused, named
from tests.e2e.support.world import MARKER, World

GOOGLE, OUTLOOK, CUSTOM = "GOOGLE_WORKSPACE", "OUTLOOK_365", "CUSTOM_SMTP"
LOGIN = "login"  # the Secret with the password of every inbox
WORKSPACE = "workspace"  # the Secret with the API key
CHECK_SECONDS = 0.1


@dataclass(frozen=True)
class Shown:
    """A SenderAccount as on the API server."""

    raw: Object

    @property
    def status(self) -> Object:
        found: Object = self.raw.get("status", {})
        return found

    @property
    def inbox_id(self) -> str:
        found: str = self.status["inboxID"]
        return found

    @property
    def generation(self) -> int:
        found: int = self.raw["metadata"]["generation"]
        return found

    @property
    def settled(self) -> bool:
        """Whether status refers to the current spec."""
        return self.status.get("observedGeneration") == self.generation

    def condition(self, kind: str) -> str:
        """`status reason`, as in "False NotFound"; empty without the condition."""
        found = self._condition(kind)
        return f"{found['status']} {found['reason']}" if found else ""

    def message(self, kind: str) -> str:
        return str(self._condition(kind).get("message", ""))

    def _condition(self, kind: str) -> Object:
        conditions: list[Object] = self.status.get("conditions", [])
        return next((each for each in conditions if each["type"] == kind), {})


@dataclass
class Tenant:
    """`key` belongs to the workspace of the story; its objects refer to it by apiKeySecretRef."""

    world: World
    namespace: str
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def emulator(self) -> RunningEmulator:
        return self.world.emulator

    @property
    def server(self) -> ApiServer:
        return self.world.server

    @property
    def workspace(self) -> str:
        """Of the emulator."""
        return self.namespace

    @property
    def key(self) -> str:
        return f"cs_live_{MARKER}_{self.namespace}"

    @property
    def domain(self) -> str:
        return f"{self.namespace}.example.com"

    @property
    def domain_id(self) -> str:
        domains = self.emulator.call("GET", "/domains")["domains"]
        return next(str(each["domain_id"]) for each in domains if each["domain_name"] == self.domain)

    @property
    def password(self) -> str:
        return f"{MARKER} \"{self.namespace}\" 'ä'"  # so that it looks different in JSON, in a repr and in a URL

    def address(self, name: str = "ann") -> str:
        return f"{name}@{self.domain}"

    # What people do in Kubernetes

    def secret(self, name: str = LOGIN, **values: str) -> None:
        """Create or replace a Secret with exactly these values."""
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        self.server.apply(named("Secret", self.namespace, name, type="Opaque", data=encoded))

    def drop_secret(self, name: str = LOGIN) -> None:
        self.server.delete("Secret", self.namespace, name)

    def manifest(self, name: str = "ann", inbox_type: str = GOOGLE, **changes: Any) -> Object:
        if inbox_type == "COLDSEND":
            spec = manifests.native_spec(self.domain, name)
        else:
            spec = manifests.smtp_spec(inbox_type, self.address(name), LOGIN)
        return self._account(name, spec, changes)

    def observer(self, name: str = "ann", **changes: Any) -> Object:
        return self._account(name, manifests.observing_spec(GOOGLE, self.address(name)), changes)

    def _account(self, name: str, spec: Object, changes: dict[str, Any]) -> Object:
        spec = changed({**spec, "apiKeySecretRef": {"name": WORKSPACE}}, changes)
        return manifests.account(self.namespace, name, spec, self.labels)

    def apply(self, name: str = "ann", inbox_type: str = GOOGLE, **changes: Any) -> None:
        self.server.apply(self.manifest(name, inbox_type, **changes))

    def edit(self, name: str = "ann", **changes: Any) -> None:
        """Change fields of spec."""
        self.server.merge("SenderAccount", self.namespace, name, {"spec": changes})

    def annotate(self, name: str = "ann", **annotations: str | None) -> None:
        """Set annotations of the operator by their names without prefix; None removes one."""
        found = {f"coldsend.pro/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.server.merge("SenderAccount", self.namespace, name, {"metadata": {"annotations": found}})

    def annotate_namespace(self, **annotations: str | None) -> None:
        found = {f"coldsend.pro/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.server.merge("Namespace", "", self.namespace, {"metadata": {"annotations": found}})

    def delete(self, name: str = "ann") -> None:
        self.server.delete("SenderAccount", self.namespace, name)

    def delete_all(self) -> None:
        self.server.delete_all("SenderAccount", self.namespace)

    def write_status(self, name: str, status: Object) -> None:
        """Write status, as only a restore does."""
        self.server.ask("PATCH", f"{self.accounts}/{name}/status", {"status": status}, MERGE)

    @property
    def accounts(self) -> str:
        return f"{GROUP}/namespaces/{self.namespace}/senderaccounts"

    # What people see in Kubernetes

    def look(self, name: str = "ann") -> Shown | None:
        found = self.world.watch.now(self.namespace, name)
        return None if found is None else Shown(found)

    def states(self, name: str = "ann") -> list[Shown]:
        """All states of the object so far."""
        return [Shown(each) for each in self.world.watch.states(self.namespace, name)]

    def until(self, name: str, good: Callable[[Shown], bool], what: object = "what was waited for") -> Shown:
        """Wait until the object is `good`."""
        try:
            found = self.world.watch.wait(
                self.namespace, name, lambda raw: raw is not None and good(Shown(raw)), PATIENCE
            )
        except TimeoutError as late:
            raise AssertionError(f"{name} never showed {what}; its status is\n{late}") from None
        assert found is not None
        return Shown(found)

    def shows(self, name: str = "ann", **conditions: str) -> Shown:
        """Wait until status refers to the current spec and has these conditions ("True Active")."""

        def good(shown: Shown) -> bool:
            return shown.settled and all(shown.condition(kind) == wanted for kind, wanted in conditions.items())

        return self.until(name, good, conditions)

    def ready(self, name: str = "ann", reason: str = "Active") -> Shown:
        return self.shows(name, Ready=f"True {reason}", Synced="True InSync")

    def make(self, name: str = "ann", inbox_type: str = GOOGLE, **changes: Any) -> Shown:
        """Apply the object, and wait until it is Ready."""
        self.apply(name, inbox_type, **changes)
        return self.ready(name)

    def make_each(self, *names: str) -> None:
        """Apply the objects, and wait until they are Ready and all probes of their inboxes are done."""
        for name in names:
            self.apply(name)
        for name in names:
            self.ready(name)
            self.known(name)

    def remove(self, name: str = "ann") -> None:
        """Delete the object, and wait until it is gone."""
        self.delete(name)
        self.gone(name)

    def known(self, name: str = "ann") -> Shown:
        """Wait until all probes of its new inbox are done."""
        return self.until(name, lambda shown: "healthScore" in shown.status, "a health score")

    def another_inbox(self, than: str, name: str = "ann") -> Shown:
        """Wait until the object has an inbox."""
        return self.until(name, lambda shown: shown.status.get("inboxID") not in {None, than}, "another inbox")

    def value(self, field_of_status: str, wanted: object, name: str = "ann") -> Shown:
        """Wait until the object shows this value."""
        return self.until(name, lambda shown: shown.status.get(field_of_status) == wanted, wanted)

    def gone(self, name: str = "ann") -> None:
        try:
            self.world.watch.wait(self.namespace, name, lambda raw: raw is None)
        except TimeoutError as late:
            raise AssertionError(f"{name} is still there; its status is\n{late}") from None

    def events(self, name: str = "ann") -> list[str]:
        """`type reason` of the Events about an object, oldest first."""
        about = [each for each in self.server.items("Event", self.namespace) if each["regarding"]["name"] == name]
        return [f"{each['type']} {each['reason']}" for each in sorted(about, key=lambda each: str(each["eventTime"]))]

    # What happened in ColdSend

    def inboxes(self, name: str = "ann") -> list[dict[str, Any]]:
        return self.emulator.inboxes(workspace=self.workspace, address=self.address(name))

    def inbox(self, name: str = "ann") -> dict[str, Any]:
        """The only inbox of this address."""
        (found,) = self.inboxes(name)
        return found

    def no_inbox(self, name: str = "ann") -> bool:
        return not self.inboxes(name)

    def happened(self, name: str = "ann") -> list[str]:
        """`created` and `deleted` of the address, in order."""
        return [each["event"] for each in self.emulator.history(address=self.address(name))]

    def seed(self, name: str = "ann", inbox_type: str = GOOGLE, **values: Any) -> str:
        """Create an existing inbox. Returns its id."""
        row = {"email_address": self.address(name), "inbox_type": inbox_type, **values}
        (inbox_id,) = self.emulator.seed(row, workspace=self.workspace)
        return inbox_id

    def asked(self, operation: str | None = None) -> list[dict[str, Any]]:
        """The requests with the keys of the workspace, oldest first."""
        found = self.emulator.requests(operation=operation)
        return [each for each in found if each["workspace"] == self.workspace]

    def fault(self, kind: str, **parts: Any) -> str:
        """Inject a fault for this workspace only."""
        return self.emulator.fault(kind, workspace=self.workspace, **parts)

    def after_sweeps(self, count: int = 2) -> None:
        """Wait until ColdSend was listed this many more times and the responses were processed."""
        fault = self.fault("delay", operation="listSenderAccounts", seconds=0)
        self.emulator.wait_for_fault(fault, hits=count + 1, seconds=PATIENCE)
        self.emulator.remove_fault(fault)


def eventually(good: Callable[[], Any], what: str) -> None:
    """Wait for something outside of the watch."""
    until = time.monotonic() + PATIENCE
    while not good():
        assert time.monotonic() < until, f"{what} never came"
        time.sleep(CHECK_SECONDS)


@contextmanager
def opened_tenant(world: World, title: str, labels: dict[str, str] | None = None) -> Iterator[Tenant]:
    """A namespace with the Secrets that stories need, and a workspace with a domain; both are removed at the end."""
    namespace = f"{title.replace('_', '-')[:40].rstrip('-')}-{uuid4().hex[:6]}"
    tenant = Tenant(world, namespace, labels or {})
    world.server.apply(named("Namespace", "", namespace))
    world.emulator.add_key(tenant.key, workspace=tenant.workspace)
    world.emulator.add_domain(tenant.domain, workspace=tenant.workspace)
    tenant.secret(LOGIN, password=tenant.password)
    tenant.secret(WORKSPACE, apiKey=tenant.key)
    try:
        yield tenant
    finally:
        clear(tenant)


def clear(tenant: Tenant) -> None:
    """Remove the objects of the story, so that other operators do not see them.

    The namespace goes only where it would stay after the tests: its end costs the API server more than most stories do.
    """
    tenant.world.search(tenant.namespace)
    for kind in ("SenderAccountBatch", "SenderAccount"):
        with suppress(Refused):
            tenant.server.delete_all(kind, tenant.namespace)
            for each in tenant.server.items(kind, tenant.namespace):
                with suppress(Refused):  # gone meanwhile
                    change = {"metadata": {"finalizers": None}}
                    tenant.server.merge(kind, tenant.namespace, each["metadata"]["name"], change)
    if devcluster.uses_current_cluster():
        tenant.server.delete("Namespace", "", tenant.namespace)
