"""The operator as a release of the chart, and what people see of it."""

import base64
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from coldsend_emulator.running import RunningEmulator
from tests.chart.support import CHART, Helm
from tests.cluster.place import Place
from tests.e2e.support.api_server import GROUP, ApiServer, Object, named

PATIENCE = 180.0
CHECK_SECONDS = 0.05
NAME = "coldsend-operator"
NAMESPACE = "coldsend"
KEY_SECRET = "workspace"
SALES = "sales"
DEMO = CHART.parents[1] / "examples" / "demo"
DOMAIN = "mail.example.com"
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}


@dataclass(frozen=True)
class Pod:
    name: str
    uid: str
    ready: bool
    restarts: int
    container: str

    @classmethod
    def from_object(cls, raw: Object) -> "Pod":
        conditions = {each["type"]: each["status"] for each in raw["status"].get("conditions", [])}
        (container, *_) = raw["status"].get("containerStatuses") or [{}]
        return cls(
            name=raw["metadata"]["name"],
            uid=raw["metadata"]["uid"],
            ready=conditions.get("Ready") == "True",
            restarts=container.get("restartCount", 0),
            container=container.get("containerID", "").removeprefix("containerd://"),
        )


@dataclass(frozen=True)
class Release:
    place: Place
    server: ApiServer
    emulator: RunningEmulator
    helm: Helm

    def install(self) -> None:
        self._helm("install", {})

    def upgrade(self, values: Object) -> None:
        self._helm("upgrade", values)

    def uninstall(self) -> None:
        self.helm("uninstall", NAME, "--namespace", NAMESPACE, "--wait", "--timeout=3m")

    def test(self) -> str:
        return self.helm("test", NAME, "--namespace", NAMESPACE, "--timeout=3m")

    def _helm(self, action: str, changes: Object) -> None:
        registry, _, image = self.place.image.partition("/")
        repository, _, tag = image.partition(":")
        values = {
            "image": {"registry": registry, "repository": repository, "tag": tag, "pullPolicy": "Never"},
            "apiKey": {"existingSecret": KEY_SECRET},
            "settings": {
                "apiUrl": self.emulator.api_url.replace(self.place.listens, self.place.host),
                "requestsPerHour": 60000,
                "requestsPerMinute": 6000,
                "sweepSeconds": 2,
            },
            **changes,
        }
        chosen = ("--namespace", NAMESPACE, "--values", self.helm.values(values))
        try:
            self.helm(action, NAME, str(CHART), *chosen, "--wait", "--timeout=3m")
        except Exception as error:
            error.add_note(self.story())
            raise

    def give_key(self, key: str) -> None:
        """Into the Secret that the pods mount."""
        encoded = base64.b64encode(key.encode()).decode()
        self.server.apply(named("Secret", NAMESPACE, KEY_SECRET, type="Opaque", data={"apiKey": encoded}))

    def pods(self) -> list[Pod]:
        """Of the Deployment, without those that are leaving."""
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        chosen = self.server.ask("GET", path, labelSelector="app.kubernetes.io/component=operator")["items"]
        return [Pod.from_object(each) for each in chosen if "deletionTimestamp" not in each["metadata"]]

    def both_ready(self) -> bool:
        pods = self.pods()
        return len(pods) == 2 and all(pod.ready for pod in pods)

    def holder(self) -> str:
        """Who has the Lease; empty when nobody has."""
        lease = self.server.get("Lease", NAMESPACE, NAME) or {}
        return str(lease.get("spec", {}).get("holderIdentity") or "")

    def leader(self) -> Pod:
        """The pod that has the Lease; one that is leaving may have it for a moment longer."""

        def leading() -> Pod | None:
            holder = self.holder()
            return next((pod for pod in self.pods() if holder.startswith(f"{pod.name}_")), None)

        found: Pod = until(leading, "a leader")
        return found

    def crashed(self, pod: Pod) -> None:
        """SIGKILL, as the kernel does when memory is short."""
        self.place.on_node("kill", "-KILL", str(self.place.pid_of(pod.container)))

    def deleted(self, pod: Pod) -> None:
        self.server.ask("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod.name}")

    def start_seconds(self, pod: Pod) -> float:
        """From the first instruction of its process to the line that it has started."""
        ticks = int(self.place.on_node("cat", f"/proc/{self.place.pid_of(pod.container)}/stat").split()[21])
        hertz = int(self.place.on_node("getconf", "CLK_TCK"))
        uptime = float(self.place.on_node("cat", "/proc/uptime").split()[0])
        began = time.time() - uptime + ticks / hertz
        logged = map(json.loads, self.kubectl("logs", "--namespace", NAMESPACE, pod.name).splitlines())
        started = next(line["time"] for line in logged if line["event"] == "started")
        return datetime.fromisoformat(started).timestamp() - began

    def image_megabytes(self) -> int:
        """Of all files in the image, as they lie on a node."""
        counted = self.server.kubectl(
            "exec", "--namespace", NAMESPACE, self.leader().name, "--", "du", "-sxm", "/", check=False
        )
        return int(counted.stdout.split()[0])

    def memory(self, pod: Pod) -> int:
        """Megabytes that its process has in memory."""
        status = self.place.on_node("cat", f"/proc/{self.place.pid_of(pod.container)}/status")
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return int(fields["VmRSS"].split()[0]) // 1000

    def kubectl(self, *arguments: str | Path) -> str:
        done = self.server.kubectl(*map(str, arguments), check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, path: Path) -> None:
        self.kubectl("apply", "--server-side", "-f", path)

    def accounts(self, namespace: str = SALES) -> dict[str, str]:
        """Name and `status reason` of Ready."""
        shown = {}
        for each in self.server.items("SenderAccount", namespace):
            conditions: list[dict[str, Any]] = each.get("status", {}).get("conditions", [])
            ready = next((one for one in conditions if one["type"] == "Ready"), {"status": "Unknown", "reason": ""})
            shown[each["metadata"]["name"]] = f"{ready['status']} {ready['reason']}"
        return shown

    def all_ready(self, count: int, namespace: str = SALES) -> bool:
        shown = self.accounts(namespace)
        return len(shown) == count and all(each.startswith("True ") for each in shown.values())

    def remove(self, namespace: str = SALES) -> None:
        """The namespace with all accounts and inboxes, as somebody who means it does."""
        self.kubectl("annotate", "namespace", namespace, "--overwrite", "coldsend.pro/approve-deletion=true")
        self.kubectl("delete", "namespace", namespace, "--wait=false")
        until(lambda: self.server.get("Namespace", "", namespace) is None, "the end of the namespace", self.story)

    def reasons_of(self, names: Iterable[str]) -> list[str]:
        """`status reason` of Ready of those that are there."""
        shown = self.accounts()
        return [shown[name] for name in names if name in shown]

    def delete_labelled(self, label: str) -> None:
        """All in one request."""
        path = f"{GROUP}/namespaces/{SALES}/senderaccounts"
        self.server.ask("DELETE", path, labelSelector=f"example.com/part={label}")

    def created(self) -> list[str]:
        """The addresses of all inboxes that were ever made, in order."""
        return [str(each["email_address"]) for each in self.emulator.history(event="created")]

    def story(self) -> str:
        """What people look at when something does not work."""
        commands = (
            ("get", "pods,events", "--namespace", NAMESPACE, "--output=wide"),
            ("logs", "--namespace", NAMESPACE, "--selector=app.kubernetes.io/component=operator", "--tail=20"),
            ("get", "senderaccounts", "--all-namespaces", "--output=wide"),
        )
        tried = [self.server.kubectl(*command, check=False) for command in commands]
        return "\n".join(f"{done.stdout}{done.stderr}" for done in tried)


def until(good: Callable[[], Any], what: str, story: Callable[[], str] = str) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + PATIENCE
    while not (found := good()):
        assert time.monotonic() < deadline, f"{what} never came\n{story()}"
        time.sleep(CHECK_SECONDS)
    return found


def native_accounts(namespace: str, *names: str, label: str = "single") -> list[Object]:
    """Accounts that need no password."""
    return [
        {
            "apiVersion": "coldsend.pro/v1alpha1",
            "kind": "SenderAccount",
            "metadata": {"namespace": namespace, "name": name, "labels": {"example.com/part": label}},
            "spec": {
                "inboxType": "COLDSEND",
                "displayName": name,
                "native": {"domainName": DOMAIN, "emailPrefix": name},
            },
        }
        for name in names
    ]
