"""The options of the commands that make and check manifests."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from coldsend_operator.tools.options import Access, Files, Folder, Force, Namespace, TableOrJson

InboxTypeName = Literal["COLDSEND", "GOOGLE_WORKSPACE", "OUTLOOK_365", "CUSTOM_SMTP"]
TypeOrAuto = Literal["auto", "COLDSEND", "GOOGLE_WORKSPACE", "OUTLOOK_365", "CUSTOM_SMTP"]


def import_(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The sheet, saved as CSV; - is standard input.")],
    namespace: Namespace,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the objects, or its first part.")],
    inbox_type: Annotated[
        TypeOrAuto, typer.Option("--type", help="Type of all rows; auto takes it from each row.", case_sensitive=False)
    ] = "auto",
    mapped: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN,...", help="The column that holds a field.")
    ] = None,
    split_by: Annotated[
        Literal["domain", "none"], typer.Option("--split-by", help="One batch per domain, or one for all.")
    ] = "none",
    secrets: Annotated[
        str | None,
        typer.Option("--secrets", metavar="FILE", help="Write the passwords to this file, as Secrets; - is stdout."),
    ] = None,
    directory: Folder = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Skip bad rows instead of stopping.")] = False,
    update: Annotated[
        Path | None, typer.Option("--update", metavar="DIR", help="Update the manifests of an earlier import.")
    ] = None,
    force: Force = False,
) -> None:
    """Convert a spreadsheet into manifests. Makes batches with one inbox per line, and a separate file of Secrets."""
    from coldsend_operator.resources.common import InboxType
    from coldsend_operator.tools.imports.command import ImportOptions, read_mapping, run

    run(
        ImportOptions(
            file=file,
            namespace=namespace,
            name=name,
            inbox_type=None if inbox_type == "auto" else InboxType(inbox_type),
            mapped=read_mapping(mapped or ()),
            by_domain=split_by == "domain",
            secrets=secrets,
            folder=directory,
            skip_bad=skip_bad,
            update=update,
            force=force,
        )
    )


def export(
    *,
    namespace: Namespace,
    shape: Annotated[
        Literal["accounts", "batches"], typer.Option("--as", help="One object per inbox, or batches.")
    ] = "batches",
    group_by: Annotated[
        Literal["domain", "type", "none"],
        typer.Option("--group-by", help="What the inboxes of one batch or file share."),
    ] = "domain",
    inbox_type: Annotated[
        InboxTypeName | None, typer.Option("--type", help="Only inboxes of this type.", case_sensitive=False)
    ] = None,
    inbox_status: Annotated[
        Literal["ACTIVE", "PAUSED", "DISABLED"] | None,
        typer.Option("--status", help="Only inboxes of this status.", case_sensitive=False),
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="Only addresses that contain this.")
    ] = None,
    unmanaged: Annotated[
        bool, typer.Option("--unmanaged", help="Only inboxes that no object of the cluster shows or asks for.")
    ] = False,
    manage: Annotated[
        bool, typer.Option("--manage", help="Write objects that adopt the inboxes instead of only observing them.")
    ] = False,
    secret: Annotated[str, typer.Option("--secret", metavar="NAME", help="One Secret for all passwords.")] = "",
    smtp_host: Annotated[
        str, typer.Option("--smtp-host", metavar="HOST", help="SMTP host of the CUSTOM_SMTP inboxes.")
    ] = "",
    imap_host: Annotated[
        str, typer.Option("--imap-host", metavar="HOST", help="IMAP host of the CUSTOM_SMTP inboxes.")
    ] = "",
    directory: Folder = None,
    force: Force = False,
    output: Annotated[Literal["yaml", "json"], typer.Option("-o", "--output", help="Output format.")] = "yaml",
    access: Annotated[Access, "kubeconfig", "context", "api_url", "api_key_file", "api_key_secret"],  # --as is a shape
) -> None:
    """Write the inboxes of a workspace as manifests. Without --manage they only observe."""
    import asyncio

    from coldsend_operator.tools.clients import key_reference
    from coldsend_operator.tools.exports.command import ExportOptions, run
    from coldsend_operator.tools.exports.objects import Form

    form = Form(
        namespace=namespace,
        accounts=shape == "accounts",
        group_by=group_by,
        manage=manage,
        secret=secret,
        smtp_host=smtp_host,
        imap_host=imap_host,
        api_key=key_reference(access),
    )
    asyncio.run(
        run(
            ExportOptions(
                access=access,
                form=form,
                inbox_type=inbox_type,
                status=inbox_status,
                search=search,
                unmanaged=unmanaged,
                folder=directory,
                force=force,
                output=output,
            )
        )
    )


def validate(
    *,
    files: Annotated[list[str], Files],
    output: TableOrJson = "table",
) -> None:
    """Check manifests without a cluster. The rules are those of the CRD and of the operator."""
    from coldsend_operator.tools.validation.command import run

    run(files, output)


def schemas(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to.")]) -> None:
    """Write JSON schemas for editors and kubeconform."""
    from coldsend_operator.tools.validation.schemas import write

    for path in write(folder):
        sys.stdout.write(f"{path}\n")
