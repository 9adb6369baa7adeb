"""The steps of `export`, in order."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coldsend_operator.core.model.answers import Row
from coldsend_operator.resources.names import ACCOUNT_KIND
from coldsend_operator.setting_values import to_namespace
from coldsend_operator.tools import files, manifests
from coldsend_operator.tools.clients import coldsend_reader, kube_reader
from coldsend_operator.tools.cluster import objects
from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.exports.objects import Form, Group, groups
from coldsend_operator.tools.listing import Listing, whole_list
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.output import counted, remark
from coldsend_operator.tools.senders import read_sender

HOSTS_NEEDED = "ColdSend does not return the hosts of these inboxes; give --smtp-host and --imap-host"
FILL_IN = f"{HOSTS_NEEDED}, or fill them in"
SECRETS_FILE = "secrets.todo.yaml"
_SECRETS_HEAD = (
    "# The passwords that the exported objects need; ColdSend never returns one. Fill them in before you apply this\n"
    "# folder. If the Secrets exist already, delete this file: its empty values would replace their passwords.\n"
)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The options of `export`."""

    access: Access
    form: Form
    inbox_type: str | None
    status: str | None
    search: str | None
    unmanaged: bool
    folder: Path | None
    force: bool
    output: Literal["yaml", "json"]


async def run(options: ExportOptions) -> None:
    """Read the list, skip inboxes that objects hold, write manifests."""
    _check(options)
    async with coldsend_reader(options.access, options.form.namespace) as reader:
        listing = await whole_list(reader, inbox_type=options.inbox_type, status=options.status, search=options.search)
    rows = await _unmanaged(listing, options.access) if options.unmanaged else list(listing.rows)
    made, left = groups(rows, options.form)
    for each in left:
        remark(f"{each.address}: skipped, as {each.reason}")
    commented = [group for group in made if group.needs_hosts]
    if commented and options.output == "json":
        raise CommandError(f"{commented[0].name} cannot be written as JSON. {HOSTS_NEEDED}")
    _write(made, options)
    for group in commented:
        remark(f"{group.name}: written as a comment. {FILL_IN}")
    written = len(rows) - len(left)
    remark(f"{counted(written, 'inbox', 'inboxes')} in {counted(len(made), 'group', 'groups')}")
    if listing.missing:
        raise CommandError(f"The export is incomplete: {listing.missing}")


def _check(options: ExportOptions) -> None:
    try:
        to_namespace(options.form.namespace)
    except ValueError:
        raise UsageError(f"-n {options.form.namespace}: no name of a namespace") from None
    if options.folder is not None and options.output == "json":
        raise UsageError("-d writes YAML files; leave out -o json")


async def _unmanaged(listing: Listing, access: Access) -> list[Row]:
    """The rows without inboxes that an object of the cluster shows or requests."""
    async with kube_reader(access) as kube:
        senders = [read_sender(each) for each in await objects(kube, ACCOUNT_KIND, None)]
    shown = {sender.inbox_id for sender in senders}
    asked = {sender.address for sender in senders}
    return [row for row in listing.rows if row.inbox_id not in shown and row.address not in asked]


def _write(made: Sequence[Group], options: ExportOptions) -> None:
    if options.folder is None:
        sys.stdout.write(_json(made) if options.output == "json" else "---\n".join(map(_text, made)))
        if any(group.passwords for group in made):
            remark("-d DIR also writes secrets.todo.yaml with the names of the required passwords")
        return
    todo = _todo(made, options.form.namespace)
    if todo:
        _check_todo(options.folder / SECRETS_FILE, todo, force=options.force)
    texts = {options.folder / f"{group.name}.yaml": _text(group) for group in made}
    files.write_new_files(texts, force=options.force, instead="write to another folder to compare")
    if todo:
        files.write_secret_file(str(options.folder / SECRETS_FILE), todo, force=True)
        remark(
            f"Before you apply {options.folder}: fill in the passwords in {SECRETS_FILE}, or delete that file if the "
            "Secrets exist already, as its empty values would replace their passwords"
        )


def _check_todo(path: Path, text: str, *, force: bool) -> None:
    """Refuse to overwrite it, as somebody may have filled in the passwords."""
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") != text:
        files.check_secret_file(str(path), force=force)


def _text(group: Group) -> str:
    text = manifests.render(group.manifests)
    if not group.needs_hosts:
        return text
    return "".join(f"# {line}\n" for line in (FILL_IN, *text.splitlines()))


def _json(made: Sequence[Group]) -> str:
    """A List like that of kubectl."""
    items = [manifest for group in made for manifest in group.manifests]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2, ensure_ascii=False) + "\n"


def _todo(made: Sequence[Group], namespace: str) -> str:
    """The Secrets with all required keys and empty values."""
    keys: dict[str, dict[str, str]] = {}
    for group in made:
        for secret, needed in (group.passwords or {}).items():
            keys.setdefault(secret, {}).update(dict.fromkeys(needed, ""))
    if not keys:
        return ""
    found = [
        manifests.secret_manifest(name, namespace, dict(sorted(values.items())))
        for name, values in sorted(keys.items())
    ]
    return _SECRETS_HEAD + manifests.render_secrets(found)
