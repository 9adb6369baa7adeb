"""`import --update`: merges the sheet into manifests of an earlier import that people may have edited.

Additions by people (policies, labels, limits without a column in the sheet) stay; the list of inboxes and the
fields of the sheet follow the sheet, an emptied cell too.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coldsend_operator.accounts.effective import IMAP_HOSTS, IMAP_PORT, SMTP_HOSTS, SMTP_PORT
from coldsend_operator.core.model.policy import Threshold
from coldsend_operator.kube.paths import KINDS
from coldsend_operator.resources import names
from coldsend_operator.resources.common import InboxType
from coldsend_operator.tools.imports.groups import Shared
from coldsend_operator.tools.manifests import Document, Manifest, is_ours, key_of, mapping
from coldsend_operator.tools.output import counted
from coldsend_operator.tools.spreadsheet.mailboxes import SheetServer

Key = tuple[str, str, str]
NewFile = Callable[[Manifest], Path]

# Where the columns of a sheet stand in a spec that may leave them out.
_PLACES: Mapping[str, tuple[str, ...]] = {
    "daily_limit": ("dailyLimit",),
    "smtp_host": ("smtp", "host"),
    "smtp_port": ("smtp", "port"),
    "username": ("smtp", "username"),
    "smtp_tls": ("smtp", "useTLS"),
    "imap_host": ("imap", "host"),
    "imap_port": ("imap", "port"),
    "imap_username": ("imap", "username"),
    "imap_ssl": ("imap", "useSSL"),
    "imap_password": ("imap", "passwordSecretRef"),
}


@dataclass(frozen=True, slots=True)
class Inbox:
    """One inbox of a manifest: its object, its fields, and what happens to it when it is removed."""

    holder: str
    fields: Mapping[str, Any]
    orphaned: bool


@dataclass(frozen=True, slots=True)
class Update:
    """The files to write, by path, and the changes, as lines for people."""

    files: Mapping[Path, Sequence[Any]]
    lines: tuple[str, ...]


def is_earlier(manifest: Any, namespace: str, name: str) -> bool:
    """Whether it is of an earlier import of this name."""
    if not is_ours(manifest):
        return False
    kind, place, called = key_of(manifest)
    if kind not in KINDS or place not in {namespace, ""}:
        return False
    return called == name or called.startswith(f"{name}-")


def known_groups(before: Iterable[Manifest], *, by_domain: bool) -> dict[Shared, str]:
    """The batches that are there, by what their inboxes share: they keep their names."""
    found: dict[Shared, str] = {}
    for manifest in sorted(before, key=lambda each: (len(key_of(each)[2]), key_of(each))):  # `pool` before `pool-2`
        if manifest.get("kind") != names.BATCH_KIND:
            continue
        template = mapping(mapping(manifest.get("spec")).get("template"))
        try:
            inbox_type = InboxType(template.get("inboxType", ""))
        except ValueError:
            continue
        native = mapping(template.get("native")).get("domainName", "")
        domain = native or (next(iter(sorted(_domains(manifest))), "") if by_domain else "")
        smtp = _server(template.get("smtp"), SMTP_HOSTS.get(inbox_type), SMTP_PORT, "useTLS")
        imap = _server(template.get("imap"), IMAP_HOSTS.get(inbox_type), IMAP_PORT, "useSSL")
        found.setdefault(Shared(inbox_type, smtp, imap, str(domain)), key_of(manifest)[2])
    return found


def update(
    folder: Iterable[Document],
    before: Sequence[Manifest],
    after: Iterable[Manifest],
    fields: Collection[str],
    new: NewFile,
) -> Update:
    """Replace `before` by `after` among all objects of the folder.

    `fields` are those for which the sheet has columns; `new` names the file of further objects.
    """
    old = {key_of(manifest): manifest for manifest in before}
    places = [_PLACES[field] for field in _PLACES if field in fields]
    merged = {key_of(each): _merged(old.get(key_of(each)), each, places) for each in after}
    for key, manifest in old.items():
        if key not in merged and key[0] == names.BATCH_KIND:  # its last inbox was removed; the object stays
            merged[key] = {**manifest, "spec": {**mapping(manifest.get("spec")), "inboxes": []}}
    return Update(_files(folder, old, merged, new), tuple(_lines(before, merged.values())))


def _files(
    folder: Iterable[Document], old: Mapping[Key, Manifest], merged: Mapping[Key, Manifest], new: NewFile
) -> dict[Path, list[Any]]:
    """Only files whose content changes, so that comments in others stay. Foreign objects stay too."""
    was: dict[Path, list[Any]] = defaultdict(list)
    now: dict[Path, list[Any]] = defaultdict(list)
    for document in folder:
        path, manifest = Path(document.source), document.manifest
        was[path].append(manifest)
        key = key_of(manifest) if isinstance(manifest, Mapping) else None
        if key is None or key not in old:
            now[path].append(manifest)
        elif key in merged:
            now[path].append(merged[key])
        else:
            now.setdefault(path, [])
    for key, manifest in merged.items():
        if key not in old:
            now[new(manifest)].append(manifest)
    return {path: found for path, found in now.items() if found != was.get(path)}


def _merged(old: Manifest | None, new: Manifest, places: Collection[tuple[str, ...]]) -> Manifest:
    if old is None:
        return new
    if new["kind"] == names.ACCOUNT_KIND:
        return {**old, "spec": _over(_kept(mapping(old.get("spec")), new["spec"], places), new["spec"])}
    known = {_identity(inbox): inbox for inbox in _inboxes(old)}
    inboxes = [{**_kept(known.get(_identity(inbox), {}), inbox, places), **inbox} for inbox in new["spec"]["inboxes"]]
    return {**old, "spec": {**mapping(old.get("spec")), "inboxes": inboxes}}


def _kept(old: Mapping[str, Any], new: Mapping[str, Any], places: Collection[tuple[str, ...]]) -> dict[str, Any]:
    """`old` without what stands at `places` but is missing in `new`."""
    kept: dict[str, Any] = {}
    for field, value in old.items():
        below = [place[1:] for place in places if place[0] == field and place[1:]]
        left = _kept(value, mapping(new.get(field)), below) if below and isinstance(value, dict) else value
        if field in new or ((field,) not in places and (left or not below)):
            kept[field] = left
    return kept


def _over(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`new` laid over `old`, block by block."""
    laid = dict(old)
    for field, value in new.items():
        blocks = isinstance(value, dict) and isinstance(old.get(field), dict)
        laid[field] = _over(old[field], value) if blocks else value
    return laid


def _lines(before: Iterable[Manifest], after: Iterable[Manifest]) -> Iterator[str]:
    was = dict(_listed(before))
    now = dict(_listed(after))
    added = sorted(now.keys() - was.keys())
    removed = sorted(was.keys() - now.keys())
    changed = {address: _difference(was[address], now[address]) for address in sorted(now.keys() & was.keys())}
    changed = {address: words for address, words in changed.items() if words}
    same = len(now) - len(added) - len(changed)
    yield f"{len(added)} added, {len(removed)} removed, {len(changed)} changed, {same} as before"
    yield from (f"+ {address} ({now[address].holder})" for address in added)
    for address in removed:
        fate = (
            "its inbox stays in ColdSend (deletionPolicy Orphan)" if was[address].orphaned else "its inbox is deleted"
        )
        yield f"- {address} ({was[address].holder}): {fate}"
    yield from (f"~ {address} ({now[address].holder}): {words}" for address, words in changed.items())
    deleted = sum(not was[address].orphaned for address in removed)
    if deleted:
        yield _brake(deleted, len(was))


def _brake(deleted: int, total: int) -> str:
    allowed = Threshold().allowed(total)
    deletions = counted(deleted, "deletion", "deletions")
    if deleted > allowed:
        return f"The deletion brake would hold {deletions} for approval: its default for {total} inboxes is {allowed:g}"
    return (
        f"The deletion brake would allow {deletions}: its default for {total} inboxes is {allowed:g}, together with "
        "other deletions within ten minutes"
    )


def _difference(was: Inbox, now: Inbox) -> str:
    fields = [field for field in sorted({*was.fields, *now.fields}) if was.fields.get(field) != now.fields.get(field)]
    moved = f"moves from {was.holder}" if was.holder != now.holder else ""
    return ", ".join(filter(None, (moved, *fields)))


def _listed(manifests: Iterable[Manifest]) -> Iterator[tuple[str, Inbox]]:
    for manifest in manifests:
        spec, holder = mapping(manifest.get("spec")), key_of(manifest)[2]
        if manifest["kind"] == names.ACCOUNT_KIND:
            address = str(spec.get("emailAddress") or _native(spec.get("native"))).lower()
            fields = {field: value for field, value in spec.items() if field not in {"smtp", "imap"}}
            for side in ("smtp", "imap"):
                fields |= {f"{side}.{field}": value for field, value in mapping(spec.get(side)).items()}
            yield address, Inbox(holder, fields, spec.get("deletionPolicy") == "Orphan")
            continue
        template = mapping(spec.get("template"))
        for inbox in _inboxes(manifest):
            yield _identity(inbox, template), Inbox(holder, inbox, template.get("deletionPolicy") == "Orphan")


def _identity(inbox: Mapping[str, Any], template: Mapping[str, Any] | None = None) -> str:
    """The address in the form in which addresses are compared; of a native inbox without its template the prefix."""
    if inbox.get("emailAddress"):
        return str(inbox["emailAddress"]).lower()
    domain = mapping(mapping(template).get("native")).get("domainName", "")
    return _native({"emailPrefix": inbox.get("emailPrefix"), "domainName": domain})


def _native(native: object) -> str:
    block = mapping(native)
    return f"{block.get('emailPrefix')}@{block.get('domainName', '')}"


def _domains(manifest: Manifest) -> set[str]:
    return {str(inbox.get("emailAddress", "")).lower().rpartition("@")[2] for inbox in _inboxes(manifest)}


def _inboxes(manifest: Manifest) -> list[Mapping[str, Any]]:
    listed = mapping(manifest.get("spec")).get("inboxes")
    return [inbox for inbox in listed if isinstance(inbox, Mapping)] if isinstance(listed, list) else []


def _server(block: object, host: str | None, port: int, flag: str) -> SheetServer:
    said = mapping(block)
    return SheetServer(
        said.get("host") if said.get("host") != host else None,
        said.get("port") if said.get("port") != port else None,
        None,
        False if said.get(flag) is False else None,
    )
