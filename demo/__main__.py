"""Command line: `python -m demo [--keep]`."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console

from coldsend_emulator.running import EmulatorError, RunningEmulator, running_emulator
from demo.accounts import Account, view
from demo.batch import Batch, follow
from demo.kubectl import Kubectl, KubectlError
from demo.operator_run import OperatorRun, running_operator
from devcluster import Cluster, DevclusterError, control_plane

ROOT = Path(__file__).parents[1]
CRDS = ROOT / "crds"
OBJECTS = ROOT / "examples" / "demo"
BATCH = ROOT / "examples" / "batch-smtp.yaml"
NAMESPACE = "sales"  # the one in OBJECTS
DOMAIN = "mail.example.com"
API_KEY = "cs_live_demo"  # of the emulator, which takes whatever it is started with
READY_SECONDS = 60
LOOK_SECONDS = 0.2

console = Console(highlight=False, markup=False, soft_wrap=True)


class DemoError(Exception):
    """The demo cannot show what it is there to show."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=sys.modules["demo"].__doc__)
    parser.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    keep = parser.parse_args().keep
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _demo(keep=keep)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except DevclusterError as error:
        console.print(f"demo: {error}")
        return error.exit_code
    except (DemoError, EmulatorError, KubectlError) as error:
        console.print(f"demo: {error}")
        return 1
    return 0


def _demo(*, keep: bool) -> None:
    console.print("Starting a control plane and the ColdSend emulator ...")
    with (
        control_plane() as cluster,
        running_emulator([API_KEY], domains=[DOMAIN], per_minute=100, per_hour=1000) as emulator,
        _definitions(Kubectl(cluster)) as kubectl,
        _operator(cluster, emulator) as operator,
        _objects(kubectl),
    ):
        seconds = _wait_until_ready(kubectl, operator)
        console.print("\n$ kubectl get sender -A")
        console.print(kubectl("get", "sender", "-A"))
        requests = emulator.request_counts()["total"]
        console.print(f"Ready {seconds:.1f} s after they were applied, with {requests} requests to ColdSend.")
        _show_batch(kubectl, operator)
        requests = emulator.request_counts()["total"] - requests
        console.print(f"250 inboxes with {requests} requests to ColdSend.")
        if keep:
            _keep(cluster, emulator, operator)


@contextmanager
def _definitions(kubectl: Kubectl) -> Iterator[Kubectl]:
    """The two kinds; where they were there before, they stay."""
    console.print("Applying crds/ ...")
    found = kubectl.exists("crd", "senderaccounts.coldsend.pro")
    kubectl("apply", "--server-side", "-f", CRDS)
    try:
        kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", CRDS)
        yield kubectl
    finally:
        if kubectl.outlives_us and not found:
            kubectl("delete", "-f", CRDS)


@contextmanager
def _operator(cluster: Cluster, emulator: RunningEmulator) -> Iterator[OperatorRun]:
    console.print("Starting coldsend-operator ...")
    with running_operator(
        cluster.kubeconfig,
        cluster.folder,
        api_url=emulator.api_url,
        api_key=API_KEY,
        namespaces=NAMESPACE,
        lease_namespace=NAMESPACE,  # so that what it keeps there goes with the namespace
    ) as operator:
        yield operator


@contextmanager
def _objects(kubectl: Kubectl) -> Iterator[None]:
    """The accounts with their Secrets and namespace."""
    if kubectl.exists("namespace", NAMESPACE):
        raise DemoError(f"the cluster has a namespace {NAMESPACE} already, which the demo would make and delete")
    console.print("Applying examples/demo/ ...\n")
    kubectl("apply", "--server-side", "-f", OBJECTS)
    try:
        yield
    finally:
        if kubectl.outlives_us:
            console.print("Deleting what the demo made ...")
            # The emulator may be gone already, by the same Ctrl-C; its inboxes go with it.
            kubectl("annotate", "sender", "--all", "-n", NAMESPACE, "--overwrite", "coldsend.pro/force-orphan=true")
            kubectl("delete", "senderbatch", "--all", "-n", NAMESPACE)
            kubectl("delete", "sender", "--all", "-n", NAMESPACE)
            kubectl("delete", "--ignore-not-found", "-f", OBJECTS)


def _wait_until_ready(kubectl: Kubectl, operator: OperatorRun) -> float:
    """How long it took."""
    began = time.monotonic()
    with view(console) as shown:
        while True:
            accounts = [Account.from_object(each) for each in kubectl.items("senderaccounts", "-n", NAMESPACE)]
            shown.show(accounts)
            seconds = time.monotonic() - began
            if accounts and all(account.is_ready for account in accounts):
                return seconds
            if operator.ended or seconds > READY_SECONDS:
                break
            time.sleep(LOOK_SECONDS)
    why = "the operator has ended" if operator.ended else f"not all accounts are Ready after {READY_SECONDS} s"
    raise DemoError("\n".join([why, *_open_points(accounts), "the last lines of its log:", operator.log_tail()]))


def _show_batch(kubectl: Kubectl, operator: OperatorRun) -> None:
    console.print(f"\nApplying examples/{BATCH.name}: 250 inboxes in one object ...\n")
    kubectl("apply", "--server-side", "-f", BATCH)

    def read() -> Batch:
        (shown,) = kubectl.items("senderaccountbatches", "-n", NAMESPACE)
        return Batch.from_object(shown)

    batch = follow(console, read, READY_SECONDS, lambda: operator.ended)
    if not batch.is_ready:
        raise DemoError(f"the batch is not Ready; the last lines of the log:\n{operator.log_tail()}")
    console.print("\n$ kubectl get senderbatch -A")
    console.print(kubectl("get", "senderbatch", "-A"))


def _open_points(accounts: list[Account]) -> Iterator[str]:
    for account in accounts:
        if not account.is_ready:
            yield f"  {account.name}: Ready={account.ready} {account.reason} {account.message}".rstrip()


def _keep(cluster: Cluster, emulator: RunningEmulator, operator: OperatorRun) -> None:
    with suppress(KeyboardInterrupt):  # this is how it is meant to end
        console.print(_how_to_look(cluster, emulator, operator))
        while not operator.ended:
            time.sleep(LOOK_SECONDS)
        raise DemoError(f"the operator has ended; the last lines of its log:\n{operator.log_tail()}")


def _how_to_look(cluster: Cluster, emulator: RunningEmulator, operator: OperatorRun) -> str:
    return f"""
It runs on until Ctrl-C. In another terminal:

  export KUBECONFIG={cluster.kubeconfig}
  {_kubectl_command(cluster)} get sender -n {NAMESPACE} --watch
  {_kubectl_command(cluster)} get senderbatch -n {NAMESPACE} --watch

  ColdSend, played by the emulator: {emulator.url}/_emulator/inboxes
  log of the operator:              {operator.log}
  metrics of the operator:          {operator.metrics_url}
"""


def _kubectl_command(cluster: Cluster) -> str:
    on_path = any(cluster.kubectl == Path(folder) / "kubectl" for folder in os.get_exec_path())
    return "kubectl" if on_path else str(cluster.kubectl)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
