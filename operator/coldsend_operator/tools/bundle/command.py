"""The steps of `report-bundle`, in order."""

import io
import json
import platform
import secrets
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coldsend_operator import __version__
from coldsend_operator.build import commit
from coldsend_operator.kube.paths import KINDS
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.log_masks import masked_text
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from coldsend_operator.tools.bundle.collect import Collector, Findings
from coldsend_operator.tools.bundle.pseudonyms import Pseudonyms
from coldsend_operator.tools.clients import SecretlessConnection, connected, settings_of
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.files import write_private
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.output import counted, remark

_ABOUT = """\
Made by coldsend-operator report-bundle.

objects/    objects of the two kinds, their namespaces, Deployment, pods, Lease and state, as JSON
events.json Events about objects of the two kinds
logs/       of the operator's pods
metrics/    of the operator's pods
versions.json, settings.json
unread.json what could not be read, and why

No Secret was read. {addresses}
"""
_HIDDEN = "Addresses, domains, names of people and of SenderAccounts are replaced by pseudonyms."
_SHOWN = "Addresses are included (--with-addresses)."


@dataclass(frozen=True, slots=True)
class BundleOptions:
    """The options of `report-bundle`. `namespace` None: all namespaces."""

    access: Access
    namespace: str | None
    file: Path
    with_addresses: bool
    force: bool


async def run(options: BundleOptions) -> None:
    """Read all, and write one file. Raises CommandError without a cluster, or if the file exists."""
    if options.file.exists() and not options.force:
        raise CommandError(f"{options.file} exists and is not overwritten; give another name, or --force")
    settings = settings_of(options.access)
    async with connected(KubeReads(SecretlessConnection(options.access))) as client:
        collector = Collector(client, options.namespace, (settings.lease_namespace, settings.lease_name))
        found = await collector.run()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _files(found, options):
            archive.writestr(name, text)
    write_private(str(options.file), packed.getvalue(), replaces=options.force)
    for each in found.unread:
        remark(f"Not read: {each['what']}: {each['why']}")
    number = counted(len(found.objects[ACCOUNT_KIND]) + len(found.objects[BATCH_KIND]), "object", "objects")
    hidden = "" if options.with_addresses else ", without addresses"
    remark(f"{options.file}: {number}, {counted(len(found.logs), 'log', 'logs')}{hidden}")


def _files(found: Findings, options: BundleOptions) -> Iterator[tuple[str, str]]:
    hide = None if options.with_addresses else _pseudonyms(found)
    value: Callable[[Any], Any] = hide.value if hide else _masked
    event: Callable[[Any], Any] = hide.event if hide else _masked
    log: Callable[[str], str] = hide.log if hide else masked_text
    metrics: Callable[[str], str] = hide.metrics if hide else masked_text
    found.versions |= {"program": __version__, "commit": commit(), "python": platform.python_version()}
    yield "README.txt", _ABOUT.format(addresses=_SHOWN if options.with_addresses else _HIDDEN)
    yield "versions.json", _json(value(found.versions))
    yield "settings.json", _json(value(found.settings))
    for kind, raws in sorted(found.objects.items()):
        yield f"objects/{kind.lower()}.json", _json([value(raw) for raw in raws])
    yield "events.json", _json([event(raw) for raw in found.events])
    for name, text in sorted(found.logs.items()):
        yield f"logs/{name}.log", log(text)
    for name, text in sorted(found.metrics.items()):
        yield f"metrics/{name}.txt", metrics(text)
    yield "unread.json", _json(value(found.unread))


def _pseudonyms(found: Findings) -> Pseudonyms:
    key = found.cluster.encode() or secrets.token_bytes(16)
    made = Pseudonyms(key)
    others = (kind for kind in found.objects if kind not in KINDS)
    kept = {str(raw["metadata"]["name"]) for kind in others for raw in found.objects[kind]}
    made.learn(found.objects[ACCOUNT_KIND], found.objects[BATCH_KIND], kept)
    return made


def _masked(value: Any) -> Any:
    """The value without what looks like a key or a password."""
    if isinstance(value, dict):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return masked_text(value) if isinstance(value, str) else value


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
