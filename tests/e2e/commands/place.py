"""What the commands meet: a namespace with an operator at work, and the workspace of ColdSend that it works on."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.chart.rights import Request, asked
from tests.e2e.commands.person import Canaries, Person
from tests.e2e.support.api_server import Object, Refused, named
from tests.e2e.support.operators import QUICK
from tests.e2e.support.tenant import eventually
from tests.e2e.support.world import MARKER, OWN_KEY, World

SALES, OTHER = "commands", "commands-other"
PASSWORD = f"{MARKER} \"of\" 'ä' pool"  # looks different in JSON, in a repr and in a URL
GOOGLE = {"inboxType": "GOOGLE_WORKSPACE", "dailyLimit": 50}
POOL = ("pat", "peg", "pip")
REFUSED = "pip@pool.com"
ALONE = ("ann", "bob")
NOBODYS = "zoe@former.com"
SETTINGS = {"COLDSEND_LEASE_NAME": SALES, "COLDSEND_LEASE_NAMESPACE": SALES}


def key_of(person: str) -> str:
    """Each has a key of their own to the workspace of the operator."""
    return f"cs_live_{MARKER}_of_{person}"


@dataclass
class Place:
    """One operator watches both namespaces, with a key of its own."""

    world: World
    program: Path
    hmac: str
    folder: Path

    def person(self, name: str) -> Person:
        """Somebody with all rights, under a name by which the API server's audit log knows them, and with a key."""
        server, cluster = self.world.server, self.world.cluster
        key = key_of(name)
        self.world.emulator.add_key(key)
        server.apply(named("ServiceAccount", SALES, name))
        config = yaml.safe_load(cluster.kubeconfig_for(server.token(SALES, name)).read_text(encoding="utf-8"))
        config["contexts"][0]["context"]["namespace"] = SALES
        home = self.folder / name
        (home / "here").mkdir(parents=True)
        (home / "config").write_text(yaml.safe_dump(config), encoding="utf-8")
        environment = {
            "PATH": str(self.program.parent),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "KUBECONFIG": str(home / "config"),
            "COLDSEND_API_URL": self.world.emulator.api_url,
            "COLDSEND_API_KEY": key,
            **SETTINGS,
            **{name: value for name, value in QUICK.items() if "REQUESTS" in name},
        }
        return Person(self.program, home / "here", environment, Canaries(MARKER, PASSWORD, OWN_KEY, key, self.hmac))

    # -- what reached whom

    def asked_of_kubernetes(self, name: str) -> set[Request]:
        return asked(self.world.cluster, SALES, name)

    def asked_of_coldsend(self, name: str) -> list[Object]:
        known = hashlib.sha256(key_of(name).encode()).hexdigest()[:12]  # so the emulator's log names a key
        return [each for each in self.world.emulator.requests() if each["key"] == known]

    # -- objects

    def account(self, name: str, namespace: str = SALES) -> Object | None:
        return self.world.server.get("SenderAccount", namespace, name)

    def condition(self, name: str, kind: str = "Ready", namespace: str = SALES) -> str:
        """`status reason`; empty when it is not there."""
        raw = self.account(name, namespace) or {}
        conditions = raw.get("status", {}).get("conditions", [])
        return next((f"{each['status']} {each['reason']}" for each in conditions if each["type"] == kind), "")

    def until(self, name: str, said: str, kind: str = "Ready", namespace: str = SALES) -> None:
        eventually(lambda: self.condition(name, kind, namespace) == said, f"{said} of {name}")

    def make(self, name: str, namespace: str = SALES, **spec: Any) -> None:
        about = {**GOOGLE, "emailAddress": f"{name}@alone.com", "displayName": name.title(), **spec}
        about.setdefault("smtp", {"passwordSecretRef": {"name": "mail"}})
        self.world.server.apply(named("SenderAccount", namespace, name, spec=about))


@contextmanager
def place(world: World, program: Path, folder: Path) -> Iterator[Place]:
    server, emulator = world.server, world.emulator
    for namespace in (SALES, OTHER):
        server.apply(named("Namespace", "", namespace))
        server.apply(named("Secret", namespace, "mail", stringData={"password": PASSWORD}))
    everybody = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": f"system:serviceaccounts:{SALES}"}
    everything = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    server.apply(named("ClusterRoleBinding", "", SALES, roleRef=everything, subjects=[everybody]))
    seed_what_is_nobodys(world)
    emulator.break_connections(addresses=[REFUSED])
    with world.operator(COLDSEND_NAMESPACES=f"{SALES},{OTHER}", **SETTINGS):
        here = Place(world, program, _hmac(world), folder)
        _populate(here)
        yield here
        for namespace in (SALES, OTHER):
            _clear(world, namespace)


def _clear(world: World, namespace: str) -> None:
    """No object is left: another place may be made on the same API server later."""
    world.server.kubectl("delete", "senderbatch,sender", "--all", "-n", namespace, "--timeout=30s", check=False)
    for kind in ("SenderAccountBatch", "SenderAccount"):
        for each in world.server.items(kind, namespace):  # held or paused by a test
            with suppress(Refused):  # gone meanwhile
                world.server.merge(kind, namespace, each["metadata"]["name"], {"metadata": {"finalizers": None}})


def seed_what_is_nobodys(world: World) -> None:
    world.emulator.seed({"email_address": NOBODYS, "inbox_type": "GOOGLE_WORKSPACE", "daily_limit": 50})


def _populate(here: Place) -> None:
    for name in ALONE:
        here.make(name)
    inboxes = [{"emailAddress": f"{name}@pool.com", "displayName": name.title()} for name in POOL]
    template = {**GOOGLE, "smtp": {"passwordSecretRef": {"name": "mail"}}}
    here.world.server.apply(named("SenderAccountBatch", SALES, "pool", spec={"template": template, "inboxes": inboxes}))
    for name in ALONE:
        here.until(name, "True Active")

    def told() -> bool:
        status = (here.world.server.get("SenderAccountBatch", SALES, "pool") or {}).get("status", {})
        return (status.get("ready"), status.get("failed")) == (2, 1)

    eventually(told, "two Ready inboxes of the batch and a refused one")


def _hmac(world: World) -> str:
    """The value of the key by which the operator digests passwords."""
    secret = world.server.get("Secret", SALES, "coldsend-operator-hmac")
    assert secret is not None
    value = base64.b64decode(secret["data"]["key"]).decode()
    return value.rpartition(".")[2]
