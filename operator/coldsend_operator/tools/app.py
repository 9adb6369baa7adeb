"""The options of the commands for people. Each command imports what it needs when it runs."""

import functools
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from coldsend_operator.tools.app_cluster import (
    approve_deletion,
    approve_recreation,
    force_orphan,
    hand_over,
    pause,
    reconcile,
    resume,
    send_test_email,
    status,
    tree,
    wait,
)
from coldsend_operator.tools.app_manifests import export, import_, schemas, validate
from coldsend_operator.tools.completion.scripts import SCRIPTS, Shell
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.options import (
    Access,
    AccessToCluster,
    AllNamespaces,
    Color,
    Files,
    Force,
    Live,
    OnlyNamespace,
    TableOrJson,
    Yes,
    unfolded,
)
from coldsend_operator.tools.output import remark


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for name, command in commands().items():
        app.command(name)(_told(command))


def commands() -> dict[str, Callable[..., None]]:
    """The commands by name, in the order of the help."""
    found: dict[str, Callable[..., None]] = {
        "plan": plan,
        "status": status,
        "tree": tree,
        "wait": wait,
        "pause": pause,
        "resume": resume,
        "reconcile": reconcile,
        "approve-deletion": approve_deletion,
        "approve-recreation": approve_recreation,
        "force-orphan": force_orphan,
        "hand-over": hand_over,
        "test-email": send_test_email,
        "import": import_,
        "export": export,
        "inventory": inventory,
        "doctor": doctor,
        "report-bundle": report_bundle,
        "validate": validate,
        "schemas": schemas,
        "completion": completion,
    }
    return {name: unfolded(command) for name, command in found.items()}


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """End with one sentence and the exit code in place of a traceback."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):  # manifests and JSON are UTF-8, whatever the terminal has
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        try:
            command(*arguments, **options)
        except CommandError as error:
            for line in str(error).split("\n"):
                remark(line)
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:  # `... | head`
            sys.stderr.close()
            raise typer.Exit(1) from None

    return run


def plan(
    *,
    files: Annotated[list[str] | None, Files] = None,
    kustomize: Annotated[
        Path | None,
        typer.Option("-k", "--kustomize", metavar="DIR", help="A kustomization; needs kubectl or kustomize."),
    ] = None,
    namespace: OnlyNamespace = "",
    all_namespaces: AllNamespaces = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete the objects that -l selects and that are in no file.")
    ] = False,
    selector: Annotated[
        str,
        typer.Option(
            "-l",
            "--selector",
            metavar="SELECTOR",
            help="With --prune: the objects to compare with the files; those in no file are deleted.",
        ),
    ] = "",
    live: Live = False,
    snapshot: Annotated[
        Path | None,
        typer.Option(
            "--snapshot",
            metavar="FILE",
            help="Read output of kubectl get sender,senderbatch,ns -A -o json instead of a cluster; - for stdin.",
        ),
    ] = None,
    fail_on: Annotated[
        str,
        typer.Option(
            "--fail-on",
            metavar="conflict|delete|hold|recreate|refuse,...",
            help="Exit with 4 if one of these actions occurs.",
        ),
    ] = "",
    output: Annotated[
        Literal["table", "json", "markdown"], typer.Option("-o", "--output", help="Output format.")
    ] = "table",
    color: Color = "auto",
    access: Access,
) -> None:
    """Show what would change, now or with these manifests. Exit 0: no change, 3: changes, 4: see --fail-on."""
    import asyncio

    from coldsend_operator.tools.clients import default_namespace
    from coldsend_operator.tools.plan.command import PlanOptions, read_fail_on, run

    own = namespace or default_namespace(access)
    everywhere = all_namespaces or (snapshot is not None and not namespace)
    code = asyncio.run(
        run(
            PlanOptions(
                access=access,
                files=tuple(files or ()),
                kustomize=kustomize,
                namespace=None if everywhere else own,
                default_namespace=own,
                prune=prune,
                selector=selector,
                live=live,
                snapshot=snapshot,
                fail_on=read_fail_on(fail_on),
                output=output,
                color=color,
            )
        )
    )
    if code:
        raise typer.Exit(code)


def inventory(
    *,
    namespace: OnlyNamespace = "",
    all_namespaces: AllNamespaces = False,
    live: Live = False,
    unmanaged: Annotated[
        bool, typer.Option("--unmanaged", help="Only inboxes that no object shows; asks ColdSend for its list.")
    ] = False,
    domain: Annotated[str, typer.Option("--domain", metavar="DOMAIN", help="Only addresses of this domain.")] = "",
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="TIME", help="Only inboxes older than this, such as 12h, 30d or 8w.")
    ] = "",
    burned: Annotated[
        bool, typer.Option("--burned", help="Only inboxes whose condition Healthy is False, the worst first.")
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="domain|type|namespace|batch|status|label=KEY",
            help="Totals instead of lines; label=KEY groups by that label of the objects.",
        ),
    ] = None,
    output: Annotated[Literal["table", "csv", "json"], typer.Option("-o", "--output", help="Output format.")] = "table",
    color: Color = "auto",
    access: Access,
) -> None:
    """Show every inbox with its object. States: managed, observed, unmanaged, conflict, no-inbox."""
    import asyncio

    from coldsend_operator.tools.clients import default_namespace
    from coldsend_operator.tools.inventory.command import InventoryOptions, run

    asyncio.run(
        run(
            InventoryOptions(
                access=access,
                namespace=None if all_namespaces else namespace or default_namespace(access),
                live=live,
                unmanaged=unmanaged,
                domain=domain,
                older_than=older_than,
                burned=burned,
                by=by,
                output=output,
                color=color,
            )
        )
    )


def doctor(
    *,
    write_test: Annotated[
        str,
        typer.Option("--write-test", metavar="PREFIX@DOMAIN", help="Create this native inbox, and delete it."),
    ] = "",
    yes: Yes = False,
    namespace: OnlyNamespace = "",
    all_namespaces: AllNamespaces = False,
    output: TableOrJson = "table",
    color: Color = "auto",
    access: Access,
) -> None:
    """Check whether the operator will work here. Sends at most four requests to ColdSend. Exit 1: a check failed."""
    import asyncio

    from coldsend_operator.tools import write_test as writing
    from coldsend_operator.tools.clients import default_namespace
    from coldsend_operator.tools.doctor.command import DoctorOptions, run

    own = namespace or default_namespace(access)
    test = None
    if write_test:
        writing.check(write_test, yes=yes)
        test = functools.partial(writing.run, access, own, write_test, yes=yes)
    asyncio.run(run(DoctorOptions(access, None if all_namespaces else own, own, output, color, test)))


def report_bundle(
    *,
    file: Annotated[Path, typer.Option("-f", "--filename", metavar="FILE.zip", help="The file to write.")],
    with_addresses: Annotated[
        bool, typer.Option("--with-addresses", help="Keep addresses and names as they are.")
    ] = False,
    namespace: OnlyNamespace = "",
    all_namespaces: AllNamespaces = False,
    force: Force = False,
    access: AccessToCluster,
) -> None:
    """Collect what a bug report needs in one file. Objects, Events, state and logs; no Secret is read."""
    import asyncio

    from coldsend_operator.tools.bundle.command import BundleOptions, run
    from coldsend_operator.tools.clients import default_namespace

    own = None if all_namespaces else namespace or default_namespace(access)
    asyncio.run(run(BundleOptions(access, own, file, with_addresses, force)))


def completion(*, shell: Annotated[Shell, typer.Argument(help="The shell.")]) -> None:
    """Print the completion script of a shell. It completes commands, options, and names of the cluster."""
    sys.stdout.write(SCRIPTS[shell])
