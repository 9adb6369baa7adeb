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
from demo.kubectl import Kubectl, KubectlError
from demo.operator_run import OperatorRun, running_operator
from demo.product import CommandFailedError, Product
from demo.steps import CHECK_SECONDS, NAMESPACE, DemoError, Steps
from devcluster import Cluster, DevclusterError, control_plane, uses_current_cluster

ROOT = Path(__file__).parents[1]
CRDS = ROOT / "crds"
DOMAIN = "mail.example.com"
API_KEY = "cs_live_demo"  # a key of the emulator, which is started with it

console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=sys.modules["demo"].__doc__)
    parser.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    keep = parser.parse_args().keep
    # SIGINT too, as shells start background jobs with SIGINT ignored
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _demo(keep=keep)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except DevclusterError as error:
        console.print(f"demo: {error}")
        return error.exit_code
    except (CommandFailedError, DemoError, EmulatorError, KubectlError) as error:
        console.print(f"demo: {error}")
        return 1
    return 0


def _demo(*, keep: bool) -> None:
    begun = "Using the current cluster, and starting" if uses_current_cluster() else "Starting a control plane and"
    console.print(f"{begun} the ColdSend emulator ...")
    with (
        control_plane(controllers=keep) as cluster,
        running_emulator([API_KEY], domains=[DOMAIN], per_minute=100, per_hour=1000) as emulator,
        _definitions(Kubectl(cluster)) as kubectl,
        _operator(cluster, emulator) as operator,
        _namespace(kubectl),
    ):
        around = {"KUBECONFIG": str(cluster.kubeconfig), **_as_operator(emulator)}
        Steps(console, kubectl, Product(console, around), emulator, operator).run()
        if keep:
            _keep(cluster, emulator, operator)


def _as_operator(emulator: RunningEmulator) -> dict[str, str]:
    """Settings by which the commands find the operator's state and ColdSend."""
    return {
        "COLDSEND_API_URL": emulator.api_url,
        "COLDSEND_API_KEY": API_KEY,
        "COLDSEND_LEASE_NAMESPACE": NAMESPACE,
    }


@contextmanager
def _definitions(kubectl: Kubectl) -> Iterator[Kubectl]:
    """Apply the CRDs, and delete them at the end unless they existed before."""
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
        lease_namespace=NAMESPACE,  # its state is deleted with the namespace
    ) as operator:
        yield operator


@contextmanager
def _namespace(kubectl: Kubectl) -> Iterator[None]:
    """Create the namespace of the objects, and delete it at the end."""
    if kubectl.exists("namespace", NAMESPACE):
        raise DemoError(f"the cluster already has a namespace {NAMESPACE}, which the demo would create and delete")
    kubectl("create", "namespace", NAMESPACE)
    try:
        yield
    finally:
        if kubectl.outlives_us:
            console.print("Deleting the objects of the demo ...")
            # Ctrl-C may have stopped the emulator, and its inboxes are gone.
            kubectl("annotate", "sender", "--all", "-n", NAMESPACE, "--overwrite", "coldsend.pro/force-orphan=true")
            kubectl("delete", "senderbatch", "--all", "-n", NAMESPACE)
            kubectl("delete", "sender", "--all", "-n", NAMESPACE)
            kubectl("delete", "namespace", NAMESPACE)


def _keep(cluster: Cluster, emulator: RunningEmulator, operator: OperatorRun) -> None:
    with suppress(KeyboardInterrupt):  # the usual end
        console.print(_how_to_look(cluster, emulator, operator))
        while not operator.ended:
            time.sleep(CHECK_SECONDS)
        raise DemoError(f"the operator has ended; the last lines of its log:\n{operator.log_tail()}")


def _how_to_look(cluster: Cluster, emulator: RunningEmulator, operator: OperatorRun) -> str:
    return f"""
Everything keeps running until Ctrl-C. In another terminal:

  export KUBECONFIG={cluster.kubeconfig} EMULATOR={emulator.url}
  export {" ".join(f"{name}={value}" for name, value in _as_operator(emulator).items())}
  {ROOT / ".venv/bin/coldsend-operator"} status -n {NAMESPACE} --watch
  {_kubectl_command(cluster)} get sender -n {NAMESPACE} --watch
  {_kubectl_command(cluster)} get senderbatch -n {NAMESPACE} --watch

  inboxes in the emulator:          {emulator.url}/_emulator/inboxes
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
