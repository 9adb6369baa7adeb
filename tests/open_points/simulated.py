"""A world of simulation for stories: the operator and the emulator as they are, a model of Kubernetes, fake time.

What takes hours for a user takes milliseconds here, with the settings that users have.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

import devcluster
from coldsend_emulator.running import RunningEmulator
from coldsend_operator.coldsend.client import ColdSendClient, OnAnswer
from coldsend_operator.core.plan import make_plan
from coldsend_operator.settings import Settings
from tests.e2e.manifests.builders import changed
from tests.e2e.support.account_watch import AccountWatch
from tests.e2e.support.api_server import MERGE, ApiServer, Object
from tests.e2e.support.world import OWN_KEY, World
from tests.open_points.wire import ClientSide, ControlSide, Wire
from tests.support.clients import SimulatedKubeClient
from tests.support.clock import FakeClock, FakeLoop
from tests.support.cluster import FakeCluster, path_of
from tests.support.process import Process, SimulatedOperator, cluster, settings

URL = "http://coldsend.test"
LATEST = 2 * 3600.0  # simulated seconds that anything may take; three tries of what is refused come within
SHORTEST, LONGEST = 0.25, 60.0  # strides of time while nothing is due
RESTLESS = 20_000  # rounds at one instant after which something turns in circles
CLUSTER_OFFSET, COLDSEND_OFFSET = -1.5, 2.5  # nobody's clock is right


class WiredOperator(SimulatedOperator):
    """The operator with its own client."""

    wire: Wire
    loop: FakeLoop

    def _client(self, key: SecretStr, on_answer: OnAnswer) -> ColdSendClient:  # type: ignore[override] # the real one
        return ColdSendClient(
            self._settings.api_url,
            key,
            on_answer=on_answer,
            check_timeout=self.policy.check_timeout,
            transport=ClientSide(self.wire, self.loop),
        )


class WiredProcess(Process):
    def __init__(self, settings: Settings, clock: FakeClock, cluster: FakeCluster, wire: Wire) -> None:
        self._wire = wire
        super().__init__(settings, clock, cluster, {})

    def _operator(self, settings: Settings, clock: FakeClock, kube: SimulatedKubeClient) -> SimulatedOperator:
        operator = WiredOperator(settings, clock, kube, self.leadership, self.traffic)
        operator.wire, operator.loop = self._wire, self.loop
        return operator


class Simulated:
    """Time goes by only in `until` and `let_pass`."""

    def __init__(self, **changes: Any) -> None:
        self.clock = FakeClock()
        self.cluster = cluster(self.clock, CLUSTER_OFFSET)
        self.wire = Wire(self.clock, COLDSEND_OFFSET)
        self.settings = settings(**{"reserve": 0.2, "api_url": f"{URL}/api/public/v1", "api_key": OWN_KEY} | changes)
        self.process = self._start()

    def _start(self) -> WiredProcess:
        return WiredProcess(self.settings, self.clock, self.cluster, self.wire)

    def restart(self) -> None:
        """SIGKILL, and a new process."""
        self.process = self._start()

    def until(self, good: Callable[[], bool], latest: float = LATEST) -> bool:
        """Let time go by until something holds; False when it never does."""
        end = self.clock() + latest
        if self._settle(good):
            return True
        while self.clock() < end:
            self.clock.advance(min(self._stride(), end - self.clock()))
            self.wire.world.settle()
            if self._settle(good):
                return True
        return False

    def let_pass(self, seconds: float) -> None:
        self.until(lambda: False, seconds)

    def _settle(self, good: Callable[[], bool]) -> bool:
        """Let everything happen that can happen now; True as soon as it is good."""
        for _ in range(RESTLESS):
            if good():
                return True
            if not self._round():
                return False
        raise AssertionError("it turns in circles")

    def _round(self) -> bool:
        process, loop = self.process, self.wire.loop
        process.run()
        process.see()
        moving = process.traffic.movable
        shown = [kind for kind, events in process.events.items() if events]
        if not (shown or moving or loop.has_work):
            return False
        for kind in shown:
            process.deliver(kind)
        for pending in moving:
            pending.go_on()
        loop.run_ready()
        process.run()
        return True

    def _stride(self) -> float:
        now = self.clock()
        due = [self.wire.next_at]
        for loop in self.process.loops:
            if loop.keys:
                due += [make_plan(loop.workspace, now).wake_at, loop.workspace.timers.first]
        return min(max(min((at for at in due if at is not None), default=now + LONGEST) - now, SHORTEST), LONGEST)

    def troubles(self) -> list[object]:
        """What went wrong that nobody expects to."""
        found: list[object] = [*self.process.loop.troubles, *self.wire.loop.troubles]
        return found + ([self.process.failure] if self.process.failure is not None else [])


class SimulatedServer(ApiServer):
    """The API server as stories write to it."""

    def __init__(self, simulated: Simulated) -> None:
        self._cluster = simulated.cluster

    def apply(self, *objects: Object) -> None:
        for each in objects:
            namespace, name = each["metadata"].get("namespace", ""), each["metadata"]["name"]
            if each["kind"] == "Secret":
                values = {key: base64.b64decode(value).decode() for key, value in each["data"].items()}
                self._cluster.write_secret(namespace, name, values)
            elif each["kind"] == "SenderAccount":
                self._apply_account(namespace, name, each["spec"])

    def _apply_account(self, namespace: str, name: str, spec: Object) -> None:
        found = self._cluster.objects.get(path_of(namespace, name))
        if found is None:
            self._cluster.create(namespace, name, spec)
        else:
            self._cluster.change_spec(found["metadata"]["uid"], **{**dict.fromkeys(found["spec"]), **spec})

    def merge(self, kind: str, namespace: str, name: str, change: Object) -> Object:
        annotations = change.get("metadata", {}).get("annotations", {})
        if kind == "Namespace":
            self._cluster.namespaces[name] = {"metadata": {"annotations": annotations}, "status": {"phase": "Active"}}
            return {}
        found = self._cluster.objects[path_of(namespace, name)]
        for key, value in annotations.items():
            self._cluster.annotate(found["metadata"]["uid"], key, value)
        if "spec" in change:
            self._apply_account(namespace, name, changed(found["spec"], change["spec"]))
        return {}

    def delete(self, kind: str, namespace: str, name: str) -> None:
        if kind == "Secret":
            self._cluster.write_secret(namespace, name, None)
        elif kind == "SenderAccount":
            self._cluster.delete(self._cluster.objects[path_of(namespace, name)]["metadata"]["uid"])

    def items(self, kind: str, namespace: str) -> list[Object]:
        found = [each for each in self._cluster.objects.values() if each["metadata"]["namespace"] == namespace]
        return found if kind == "SenderAccount" else []

    def ask(
        self, method: str, path: str, body: Object | None = None, content_type: str = "application/json", **query: str
    ) -> Object:
        """What the tenant asks for by its path: to delete all accounts of a namespace."""
        assert method == "DELETE", (method, path, content_type == MERGE)
        for each in list(self._cluster.objects.values()):
            if path_of(each["metadata"]["namespace"], "").startswith(path):
                self._cluster.delete(each["metadata"]["uid"])
        return {}


class SimulatedWatch(AccountWatch):
    """Waiting lets time go by."""

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated
        self.leaks = []

    def now(self, namespace: str, name: str) -> Object | None:
        return self._simulated.cluster.objects.get(path_of(namespace, name))

    def states(self, namespace: str, name: str) -> list[Object]:
        return [
            event.object
            for event in self._simulated.cluster.history
            if (event.object["metadata"]["namespace"], event.object["metadata"]["name"]) == (namespace, name)
        ]

    def wait(
        self, namespace: str, name: str, good: Callable[[Object | None], bool], seconds: float = LATEST
    ) -> Object | None:
        if not self._simulated.until(lambda: good(self.now(namespace, name))):
            found = self.now(namespace, name)
            raise TimeoutError(json.dumps(found and found.get("status"), indent=1))
        return self.now(namespace, name)


class SimulatedEmulator(RunningEmulator):
    """The control side of the emulator within."""

    def __init__(self, simulated: Simulated) -> None:
        super().__init__(URL, transport=ControlSide(simulated.wire))
        self._simulated = simulated

    def wait_for_fault(self, fault_id: str, hits: int = 1, seconds: float = LATEST) -> dict[str, Any]:
        fault = self._simulated.wire.world.faults.get(fault_id)
        assert fault is not None
        arrived = self._simulated.wire.world.faults._arrived
        assert self._simulated.until(lambda: arrived(fault) >= hits), f"{fault_id} is not hit {hits} times: {fault}"
        shown: dict[str, Any] = self.call("GET", f"/faults/{fault_id}")
        return shown


def simulated_world(simulated: Simulated) -> World:
    """The parts of a tenant. There is no cluster that a story could log in to, and no folder of logs."""
    nowhere = cast("devcluster.Cluster", None)
    emulator = SimulatedEmulator(simulated)
    emulator.limit()
    return World(nowhere, SimulatedServer(simulated), emulator, SimulatedWatch(simulated), Path("nowhere"))
