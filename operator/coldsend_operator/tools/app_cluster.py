"""The commands that look at objects of the cluster or set something on them: their options and nothing else."""

import asyncio
import re
from contextlib import suppress
from typing import Annotated, Literal, NamedTuple

import typer

from coldsend_operator.tools.errors import UsageError

KubeConfig = Annotated[str, typer.Option("--kubeconfig", metavar="FILE", help="Reach the cluster as this file says.")]
Context = Annotated[str, typer.Option("--context", help="Context of the kubeconfig.")]
Timeout = Annotated[str, typer.Option("--timeout", metavar="300s", help="How long to wait at most.")]
As = Annotated[str, typer.Option("--as", metavar="USER", help="Act as this user.")]
OwnNamespace = Annotated[str, typer.Option("-n", "--namespace", help="Namespace; else that of the context.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="sender/NAME, or senderbatch/NAME where a batch may be.")
]
Selector = Annotated[str, typer.Option("-l", "--selector", help="SenderAccounts with these labels.")]
Everything = Annotated[bool, typer.Option("--all", help="All SenderAccounts of the namespace.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the objects and change nothing.")]
ColorOption = Annotated[Literal["auto", "always", "never"], typer.Option("--color", help="Colour of tables.")]


def status(
    name: Annotated[str, typer.Argument(help="Only this batch or account.")] = "",
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Draw it again every two seconds.")] = False,
    namespace: OwnNamespace = "",
    all_namespaces: Annotated[bool, typer.Option("-A", "--all-namespaces", help="Objects of all namespaces.")] = False,
    output: Annotated[Literal["table", "json"], typer.Option("-o", "--output", help="How to say it.")] = "table",
    color: ColorOption = "auto",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Show workspaces with their budget, batches with their progress, and what objects wait for."""
    from coldsend_operator.tools.doors import Access, default_namespace
    from coldsend_operator.tools.status.command import Options, run_status

    access = Access(kubeconfig=kubeconfig, context=context, impersonate=impersonate)
    own = None if all_namespaces else namespace or default_namespace(access)
    with suppress(KeyboardInterrupt):
        asyncio.run(run_status(Options(access, own, name, watch, output, color)))


def tree(
    batch: Annotated[str, typer.Argument(help="senderbatch/NAME")],
    namespace: OwnNamespace = "",
    color: ColorOption = "auto",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Show a batch and its SenderAccounts, those that are not Ready first."""
    from coldsend_operator.tools.doors import Access, default_namespace
    from coldsend_operator.tools.status.command import run_tree

    access = Access(kubeconfig=kubeconfig, context=context, impersonate=impersonate)
    asyncio.run(run_tree(access, namespace or default_namespace(access), batch, color))


def wait(
    name: Annotated[str, typer.Argument(help="sender/NAME or senderbatch/NAME")],
    goal: Annotated[Literal["ready", "synced", "deleted"], typer.Option("--for", help="What to wait for.")] = "ready",
    timeout: Timeout = "300s",
    namespace: OwnNamespace = "",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Wait for an object; ends at once with 1 when waiting alone cannot help."""
    from coldsend_operator.tools.doors import Access, default_namespace
    from coldsend_operator.tools.status.waiting import run

    access = Access(kubeconfig=kubeconfig, context=context, impersonate=impersonate)
    asyncio.run(run(access, namespace or default_namespace(access), name, goal, read_seconds(timeout)))


def pause(
    names: Names = None,
    selector: Selector = "",
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    namespace: OwnNamespace = "",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Leave the inboxes of these objects as they are (coldsend.pro/paused)."""
    access = _Access(kubeconfig, context, impersonate)
    _act("pause", access, namespace, _Objects(names, selector, everything, yes, dry_run))


def resume(
    names: Names = None,
    selector: Selector = "",
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    namespace: OwnNamespace = "",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """End the pause of these objects."""
    access = _Access(kubeconfig, context, impersonate)
    _act("resume", access, namespace, _Objects(names, selector, everything, yes, dry_run))


def reconcile(
    names: Names = None,
    selector: Selector = "",
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    wait_for: Annotated[bool, typer.Option("--wait", help="Return when all have answered.")] = False,
    timeout: Timeout = "120s",
    namespace: OwnNamespace = "",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Look at these inboxes and their Secrets now (coldsend.pro/reconcile)."""
    access = _Access(kubeconfig, context, impersonate)
    _act(
        "reconcile",
        access,
        namespace,
        _Objects(names, selector, everything, yes, dry_run),
        wait=read_seconds(timeout) if wait_for else None,
    )


def approve_deletion(
    names: Names = None,
    selector: Selector = "",
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    namespace: OwnNamespace = "",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Let held deletions of these objects go on (coldsend.pro/approve-deletion)."""
    access = _Access(kubeconfig, context, impersonate)
    _act("approve-deletion", access, namespace, _Objects(names, selector, everything, yes, dry_run))


def approve_recreation(
    names: Names = None,
    selector: Selector = "",
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    namespace: OwnNamespace = "",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Let inboxes that went missing be made again (coldsend.pro/approve-recreation)."""
    access = _Access(kubeconfig, context, impersonate)
    _act("approve-recreation", access, namespace, _Objects(names, selector, everything, yes, dry_run))


def force_orphan(
    names: Names = None,
    selector: Selector = "",
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    namespace: OwnNamespace = "",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Let deleted objects go without touching ColdSend (coldsend.pro/force-orphan)."""
    access = _Access(kubeconfig, context, impersonate)
    _act("force-orphan", access, namespace, _Objects(names, selector, everything, yes, dry_run))


def hand_over(
    names: Names = None,
    selector: Selector = "",
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    to: Annotated[str, typer.Option("--to", metavar="NAMESPACE/NAME", help="Who takes the inbox over.")] = "",
    namespace: OwnNamespace = "",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Name the object that takes the inbox over when this one is deleted (coldsend.pro/hand-over-to)."""
    access = _Access(kubeconfig, context, impersonate)
    _act("hand-over", access, namespace, _Objects(names, selector, everything, yes, dry_run), value=to)


def send_test_email(
    names: Names = None,
    selector: Selector = "",
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Who gets the mail.")] = "",
    namespace: OwnNamespace = "",
    kubeconfig: KubeConfig = "",
    context: Context = "",
    impersonate: As = "",
) -> None:
    """Send one test mail (spec.testEmail). It reaches a real person."""
    access = _Access(kubeconfig, context, impersonate)
    _act("test-email", access, namespace, _Objects(names, selector, everything, yes, dry_run), value=to)


class _Access(NamedTuple):
    kubeconfig: str
    context: str
    impersonate: str


class _Objects(NamedTuple):
    names: list[str] | None
    selector: str
    everything: bool
    yes: bool
    dry_run: bool


def _act(
    action: str, given: _Access, namespace: str, objects: _Objects, *, value: str = "", wait: float | None = None
) -> None:
    from coldsend_operator.tools.actions.command import Options, run
    from coldsend_operator.tools.doors import Access, default_namespace

    access = Access(**given._asdict())
    asyncio.run(
        run(
            Options(
                access=access,
                action=action,
                namespace=namespace or default_namespace(access),
                names=tuple(objects.names or ()),
                selector=objects.selector,
                everything=objects.everything,
                yes=objects.yes,
                dry_run=objects.dry_run,
                value=value,
                wait=wait,
            )
        )
    )


def read_seconds(text: str) -> float:
    """Seconds of `90s`, `5m`, `1h` or `90`."""
    match = re.fullmatch(r"(\d{1,6})([smh]?)", text.strip(), re.ASCII)
    if match is None:
        raise UsageError(f"--timeout {text}: give a number and s, m or h, such as 300s")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]
