"""The steps of the demo."""

import re
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from coldsend_emulator.running import RunningEmulator
from demo.kubectl import Kubectl
from demo.operator_run import OperatorRun
from demo.product import Product

ROOT = Path(__file__).parents[1]
OBJECTS = "examples/demo"
BATCH = "examples/batch-smtp.yaml"
POOL = "sales-pool"  # the name of the batch
POOL_OBJECT = f"senderbatch/{POOL}"
ACCOUNTS = ("custom", "google", "native", "outlook")
RENAMED, NEW_NAME = "custom", "carol"
RENAMED_FILE = f"{OBJECTS}/{RENAMED}.yaml"
NAMESPACE = "sales"  # of all objects
READY_SECONDS = 90
CHECK_SECONDS = 0.2

T = TypeVar("T")


class DemoError(Exception):
    """A step of the demo failed."""


@dataclass
class Steps:
    console: Console
    kubectl: Kubectl
    product: Product
    emulator: RunningEmulator
    operator: OperatorRun
    _number: int = field(default=0)

    def run(self) -> None:
        self._plan()
        self._apply()
        self._rename()
        self._wipe()
        self._status()

    def _plan(self) -> None:
        self._title("What would happen? Nothing is written.")
        # Exit code 3: there are changes.
        self.product.show("plan", "-n", NAMESPACE, "-f", OBJECTS, "-f", BATCH, good=(3,), longest=12)

    def _apply(self) -> None:
        self._title("Apply it: one account of each type, and 250 in one object.")
        began = time.monotonic()
        self._show_kubectl("apply", "--server-side", "-f", OBJECTS, "-f", BATCH)
        with self.product.watched("status", "-n", NAMESPACE, row=POOL):
            self._wait_for_the_batch()
        self._ready(*ACCOUNTS)
        self._show_kubectl("get", "sender", "-n", NAMESPACE, "--selector=!coldsend.pro/batch")
        self._show_kubectl("get", "senderbatch", "-n", NAMESPACE)
        inboxes, seconds = len(self.emulator.inboxes()), time.monotonic() - began
        self._say(f"{inboxes} inboxes are Ready after {seconds:.0f} s and {self._requests()} requests to ColdSend.")

    def _rename(self) -> None:
        self._title("Rename an object, as a commit in Git would: the inbox stays.")
        inbox_id, writes = self._inbox_id(RENAMED), self._writes()
        old, new = f"  name: {RENAMED}", f"  name: {NEW_NAME}"
        manifest = re.sub(f"^{old}$", new, (ROOT / RENAMED_FILE).read_text(encoding="utf-8"), flags=re.MULTILINE)
        command = f"sed 's/^{old}$/{new}/' {RENAMED_FILE} | kubectl apply --server-side -f -"
        self.console.print(f"$ {command}", style="bold")
        self.console.print(self.kubectl("apply", "--server-side", "-f", "-", given=manifest).rstrip())
        self._show_kubectl("delete", "sender", RENAMED, "-n", NAMESPACE)
        self._ready(NEW_NAME)
        if (self._inbox_id(NEW_NAME), self._writes()) != (inbox_id, writes):
            raise self._failed(f"the inbox {inbox_id} did not stay")
        self._say(f"{NEW_NAME} has the inbox of {RENAMED}, {inbox_id}. Nothing was written to ColdSend.")

    def _wipe(self) -> None:
        self._title("Delete all 250 at once. That is usually an accident, so the deletion is held.")
        inboxes = len(self.emulator.inboxes())
        self._show_kubectl("delete", "senderbatch", POOL, "-n", NAMESPACE, "--wait=false")
        message = self._until(self._held, "the deletion is not held")
        self._show_kubectl("get", "senderbatch", "-n", NAMESPACE)
        self.console.print(f"\n{message}")
        if (left := len(self.emulator.inboxes())) < inboxes:
            raise self._failed(f"{inboxes - left} inboxes were deleted")
        self._say(f"All {inboxes} inboxes are still in ColdSend.")

    def _status(self) -> None:
        self._title("The current state.")
        self.product.show("status", "-n", NAMESPACE)

    # Output

    def _title(self, text: str) -> None:
        self._number += 1
        self.console.print(f"\n{self._number}. {text}\n", style="bold cyan")

    def _say(self, text: str) -> None:
        self.console.print(f"\n{text}", style="green")

    def _show_kubectl(self, *arguments: str) -> None:
        self.console.print(f"$ kubectl {shlex.join(arguments)}", style="bold")
        self.console.print(self.kubectl(*arguments).rstrip())

    # Questions and waits

    def _held(self) -> str | None:
        """The batch's message once the deletion of all its inboxes is held."""
        (batch,) = self.kubectl.items("senderbatch", "-n", NAMESPACE)
        conditions: list[dict[str, str]] = batch.get("status", {}).get("conditions", [])
        messages = [each["message"] for each in conditions if each["reason"] == "DeletionHeld"]
        return next((message for message in messages if f"{batch['status']['total']} inboxes" in message), None)

    def _inbox_id(self, name: str) -> str:
        return self.kubectl("get", "sender", name, "-n", NAMESPACE, "-o", "jsonpath={.status.inboxID}")

    def _requests(self) -> int:
        total: int = self.emulator.request_counts()["total"]
        return total

    def _writes(self) -> int:
        return sum(entry["method"] != "GET" for entry in self.emulator.requests())

    def _wait_for_the_batch(self) -> None:
        with self.product.wait(POOL_OBJECT, NAMESPACE) as wait:
            if self._until(wait.poll, f"{POOL_OBJECT} is not Ready") != 0:
                raise self._failed(f"{POOL_OBJECT}: {wait.communicate()[1].strip()}")

    def _ready(self, *names: str) -> None:
        objects = [f"sender/{name}" for name in names]
        self.kubectl("wait", "--for=condition=Ready", f"--timeout={READY_SECONDS}s", "-n", NAMESPACE, *objects)

    def _until(self, found: Callable[[], T | None], what: str) -> T:
        end = time.monotonic() + READY_SECONDS + 10
        while (answer := found()) is None:
            if self.operator.ended:
                raise self._failed("the operator has ended")
            if time.monotonic() > end:
                raise self._failed(what)
            time.sleep(CHECK_SECONDS)
        return answer

    def _failed(self, why: str) -> DemoError:
        return DemoError(f"{why}; the last lines of the operator's log:\n{self.operator.log_tail()}")
