"""The options of the commands that read or change objects of the cluster."""

import asyncio
import re
from contextlib import suppress
from typing import Annotated, Literal

import typer

from coldsend_operator.tools.errors import UsageError
from coldsend_operator.tools.options import (
    AccessToCluster,
    AllNamespaces,
    Choice,
    Color,
    OwnNamespace,
    TableOrJson,
    Timeout,
)


def status(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Only this batch or account.")] = "",
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Refresh every two seconds.")] = False,
    namespace: OwnNamespace = "",
    all_namespaces: AllNamespaces = False,
    output: TableOrJson = "table",
    color: Color = "auto",
    access: AccessToCluster,
) -> None:
    """Show budget, progress, and what objects wait for."""
    from coldsend_operator.tools.clients import default_namespace
    from coldsend_operator.tools.status.command import StatusOptions, run_status

    own = None if all_namespaces else namespace or default_namespace(access)
    with suppress(KeyboardInterrupt):
        asyncio.run(run_status(StatusOptions(access, own, name, watch, output, color)))


def tree(
    *,
    batch: Annotated[str, typer.Argument(metavar="senderbatch/NAME", help="The batch.")],
    namespace: OwnNamespace = "",
    color: Color = "auto",
    access: AccessToCluster,
) -> None:
    """Show a batch and its SenderAccounts. Those that are not Ready come first."""
    from coldsend_operator.tools.clients import default_namespace
    from coldsend_operator.tools.status.command import run_tree

    asyncio.run(run_tree(access, namespace or default_namespace(access), batch, color))


def wait(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="sender/NAME or senderbatch/NAME")],
    goal: Annotated[Literal["ready", "synced", "deleted"], typer.Option("--for", help="What to wait for.")] = "ready",
    timeout: Timeout = "300s",
    namespace: OwnNamespace = "",
    access: AccessToCluster,
) -> None:
    """Wait for an object. Ends at once with exit code 1 if waiting alone cannot help."""
    from coldsend_operator.tools.clients import default_namespace
    from coldsend_operator.tools.status.waiting import run

    asyncio.run(run(access, namespace or default_namespace(access), name, goal, read_seconds(timeout)))


def pause(*, objects: Choice, namespace: OwnNamespace = "", access: AccessToCluster) -> None:
    """Pause these objects, except their deletion. Sets coldsend.pro/paused."""
    _act("pause", access, namespace, objects)


def resume(*, objects: Choice, namespace: OwnNamespace = "", access: AccessToCluster) -> None:
    """Resume reconciliation of these objects. Removes coldsend.pro/paused."""
    _act("resume", access, namespace, objects)


def reconcile(
    *,
    objects: Choice,
    wait_for: Annotated[bool, typer.Option("--wait", help="Wait until the operator has handled all of them.")] = False,
    timeout: Timeout = "120s",
    namespace: OwnNamespace = "",
    access: AccessToCluster,
) -> None:
    """Reconcile these inboxes and their Secrets now. Sets coldsend.pro/reconcile."""
    seconds = read_seconds(timeout)
    _act("reconcile", access, namespace, objects, wait_seconds=seconds if wait_for else None)


def approve_deletion(*, objects: Choice, namespace: OwnNamespace = "", access: AccessToCluster) -> None:
    """Approve the held deletions of these objects. Sets coldsend.pro/approve-deletion."""
    _act("approve-deletion", access, namespace, objects)


def approve_recreation(*, objects: Choice, namespace: OwnNamespace = "", access: AccessToCluster) -> None:
    """Approve that missing inboxes are created again. Sets coldsend.pro/approve-recreation."""
    _act("approve-recreation", access, namespace, objects)


def force_orphan(*, objects: Choice, namespace: OwnNamespace = "", access: AccessToCluster) -> None:
    """Release deleted objects and keep their inboxes. Sets coldsend.pro/force-orphan."""
    _act("force-orphan", access, namespace, objects)


def hand_over(
    *,
    objects: Choice,
    to: Annotated[
        str, typer.Option("--to", metavar="NAMESPACE/NAME", help="The object that takes over the inbox.")
    ] = "",
    namespace: OwnNamespace = "",
    access: AccessToCluster,
) -> None:
    """Name the object that gets the inbox on deletion. Sets coldsend.pro/hand-over-to."""
    _act("hand-over", access, namespace, objects, value=to)


def send_test_email(
    *,
    objects: Choice,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="The recipient.")] = "",
    namespace: OwnNamespace = "",
    access: AccessToCluster,
) -> None:
    """Send one test mail to a real person. Sets spec.testEmail."""
    _act("test-email", access, namespace, objects, value=to)


def _act(
    action: str,
    access: AccessToCluster,
    namespace: str,
    objects: Choice,
    *,
    value: str = "",
    wait_seconds: float | None = None,
) -> None:
    from coldsend_operator.tools.actions.command import ActionOptions, run
    from coldsend_operator.tools.clients import default_namespace

    asyncio.run(
        run(ActionOptions(access, action, namespace or default_namespace(access), objects, value, wait_seconds))
    )


def read_seconds(text: str) -> float:
    """Seconds of `90s`, `5m`, `1h` or `90`."""
    match = re.fullmatch(r"(\d{1,6})([smh]?)", text.strip(), re.ASCII)
    if match is None:
        raise UsageError(f"--timeout {text}: give a number and s, m or h, such as 300s")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]
