"""The steps of `import`, in order."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coldsend_operator.log_masks import mask
from coldsend_operator.resources import names
from coldsend_operator.resources.common import InboxType
from coldsend_operator.setting_values import to_namespace
from coldsend_operator.tools import files, manifests
from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.imports import groups, objects, update
from coldsend_operator.tools.manifests import Document, Manifest, key_of
from coldsend_operator.tools.output import counted, remark, write_lines
from coldsend_operator.tools.spreadsheet.columns import NAMES, SECRET_FIELDS
from coldsend_operator.tools.spreadsheet.mailboxes import Mailbox, read_mailboxes
from coldsend_operator.tools.spreadsheet.table import Table, read_table
from coldsend_operator.tools.spreadsheet.text import decode


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of `import`. `secrets` and `file` may be `-`."""

    file: str
    namespace: str
    name: str
    inbox_type: InboxType | None
    mapped: Mapping[str, str]
    by_domain: bool
    secrets: str | None
    folder: Path | None
    skip_bad: bool
    update: Path | None
    force: bool


def read_mapping(texts: Sequence[str]) -> dict[str, str]:
    """Parse `email=E-Mail,password=Kennwort`, given once or several times."""
    found: dict[str, str] = {}
    for part in (part for text in texts for part in text.split(",") if part.strip()):
        field, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not column or field not in NAMES:
            raise UsageError(f"--map {part.strip()}: give FIELD=COLUMN, where FIELD is one of {', '.join(NAMES)}")
        found[field] = column
    return found


def run(options: ImportOptions) -> None:
    """Read the sheet, report the bad rows, write manifests and passwords."""
    _check(options)
    table = read_table(decode(files.read_bytes(options.file)), options.mapped)
    mailboxes = _good(table, options)
    _remark_unused(table, mailboxes, options)
    folder = [] if options.update is None else manifests.read([str(options.update)])
    before = [each.manifest for each in folder if update.is_earlier(each.manifest, options.namespace, options.name)]
    known = update.known_groups(before, by_domain=options.by_domain)
    grouping = groups.group(mailboxes, options.name, by_domain=options.by_domain, known=known)
    made = objects.objects(grouping, options.namespace, options.name)
    if options.secrets is not None:
        files.check_secret_file(options.secrets, force=options.force)
    if options.update is not None:
        _update(folder, before, made, table.fields, options)
    else:
        _write(made, options)
    if options.secrets is not None:
        files.write_secret_file(options.secrets, _secrets(grouping, options), force=options.force)
    remark(
        f"{counted(len(mailboxes), 'inbox', 'inboxes')} in {counted(len(grouping.batches), 'batch', 'batches')} and "
        f"{counted(len(grouping.accounts), 'account', 'accounts')} of their own"
    )


def _check(options: ImportOptions) -> None:
    try:
        to_namespace(options.namespace)
        to_namespace(options.name)
    except ValueError:
        raise UsageError("-n and --name take lower case letters, digits and hyphens") from None
    if options.secrets == "-" and options.folder is None and options.update is None:
        raise UsageError("--secrets - would mix passwords with the manifests; also give -d DIR for the manifests")
    if options.update is not None and options.folder is not None:
        raise UsageError("--update DIR writes into DIR; give no -d beside it")
    if options.update is not None and not options.update.is_dir():
        raise UsageError(f"--update {options.update}: no such folder")


def _good(table: Table, options: ImportOptions) -> tuple[Mailbox, ...]:
    reading = read_mailboxes(table.records, options.inbox_type, passwords=bool(table.fields & SECRET_FIELDS))
    for mailbox in reading.mailboxes:
        for password in filter(None, (mailbox.password, mailbox.imap_password)):
            mask(password)  # the last check, for anything unforeseen
    for bad in reading.bad:
        remark(str(bad))
    if reading.bad and not options.skip_bad:
        raise CommandError(
            f"{len(reading.bad)} of {len(table.records)} rows are bad and nothing was written; correct them, "
            "or skip them with --skip-bad"
        )
    if not reading.mailboxes:
        raise CommandError("the sheet has no row that can become an inbox; nothing was written")
    return reading.mailboxes


def _remark_unused(table: Table, mailboxes: Sequence[Mailbox], options: ImportOptions) -> None:
    """Remarks about what the sheet has but the manifests do not, or vice versa."""
    if table.unused:
        remark(f"Columns that were not used: {', '.join(table.unused)}; to use one, give --map FIELD=COLUMN")
    smtp = [mailbox for mailbox in mailboxes if not mailbox.native]
    if smtp and not table.fields & SECRET_FIELDS:
        if options.secrets is not None:
            raise CommandError("the sheet has no column with passwords for --secrets; add one, or name it with --map")
        remark("The sheet has no passwords: create the Secrets that the manifests name yourself")
    elif smtp and options.secrets is None:
        remark("The passwords were not written; use --secrets FILE to write the Secrets that the manifests name")
    if len(smtp) < len(mailboxes) and "daily_limit" in table.fields:
        remark("ColdSend sets the limit of COLDSEND inboxes itself; their daily_limit is ignored")


def _update(
    folder: Sequence[Document],
    before: Sequence[Manifest],
    made: Sequence[Manifest],
    fields: Collection[str],
    options: ImportOptions,
) -> None:
    target = options.update or Path()
    changes = update.update(folder, before, made, fields, lambda manifest: _file(target, manifest, options.name))
    for path, content in changes.files.items():
        files.write_file(path, manifests.render(content))
    write_lines(changes.lines)


def _write(made: Sequence[Manifest], options: ImportOptions) -> None:
    if options.folder is None:
        sys.stdout.write(manifests.render(made))
        return
    by_file: dict[Path, list[Manifest]] = {}
    for manifest in made:
        by_file.setdefault(_file(options.folder, manifest, options.name), []).append(manifest)
    texts = {path: manifests.render(content) for path, content in by_file.items()}
    files.write_new_files(texts, force=options.force, instead=f"compare with --update {options.folder}")


def _file(folder: Path, manifest: Manifest, name: str) -> Path:
    """One file per batch, and one for all accounts."""
    kind, _, called = key_of(manifest)
    return folder / f"{called if kind == names.BATCH_KIND else objects.accounts_name(name)}.yaml"


def _secrets(grouping: groups.Grouping, options: ImportOptions) -> str:
    return manifests.render_secrets(
        manifests.secret_manifest(
            name, options.namespace, {key: value.get_secret_value() for key, value in values.items()}
        )
        for name, values in objects.secrets(grouping, options.name).items()
    )
