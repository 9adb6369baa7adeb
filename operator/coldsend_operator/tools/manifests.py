"""Manifests: read like the API server, written with one inbox per line, equal bytes for equal content."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from coldsend_operator.kube.paths import KINDS
from coldsend_operator.resources import names
from coldsend_operator.resources.batch_rules import MAX_INBOXES
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.files import read_text

Manifest = dict[str, Any]
T = TypeVar("T")

MAX_BYTES = 1_048_576  # of one object; etcd takes 1.5 MiB, and status needs room beside the list
_LIST_SHARE = 0.9  # share of the limit that the list of a batch may take; the rest is for metadata and template
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_BOOL, _INT, _FLOAT = (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float"))
# What is not a string for kubectl. PyYAML has others: 12:30 is 750 there, `y` and 1e5 are strings, and `=` is an error.
_RESOLVERS = (
    (_BOOL, r"(?i:y|n)|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
    (_INT, r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    (_FLOAT, r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(?i:inf)|\.(?i:nan)", "-+.0123456789"),
)
_NOT_OURS = frozenset({_BOOL, _INT, _FLOAT, *(f"tag:yaml.org,2002:{kind}" for kind in ("timestamp", "value"))})
_WIDTH = 1_000_000  # no line is ever folded


@dataclass(frozen=True, slots=True)
class Document:
    """One object and its file (`-` for standard input)."""

    source: str
    manifest: Any


class _ManifestDumper(yaml.CSafeDumper):
    """Unquoted only if every YAML parser reads a string: Go's parses `1e5` as a number and `y` as a boolean.

    No aliases, for readers of the manifest.
    """

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _represent_text(dumper: _ManifestDumper, text: str) -> yaml.ScalarNode:
    plain = text[:1].isalpha() and text.lower() not in {"y", "n"}
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_ManifestDumper.add_representer(str, _represent_text)


class _Loader(yaml.CSafeLoader):
    """Values are those that kubectl reads, and duplicate keys are errors, as for the API server."""

    bool_values = {**yaml.CSafeLoader.bool_values, "y": True, "n": False}  # noqa: RUF012 - declared so by PyYAML
    yaml_implicit_resolvers = {  # noqa: RUF012 - declared so by PyYAML
        first: [(tag, expression) for tag, expression in resolvers if tag not in _NOT_OURS]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is not a string", key.start_mark)
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value} appears twice", key.start_mark
                )
            seen.add(key.value)
            key.tag = "tag:yaml.org,2002:str"  # JSON has no other keys
        return super().construct_mapping(node, deep=deep)


def _number(value: float) -> float:
    """For the API server 50.0 is a whole number."""
    return int(value) if value.is_integer() else value


def _construct_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return _number(loader.construct_yaml_float(node))


_Loader.add_constructor(_FLOAT, _construct_float)
for _tag, _expression, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(_tag, re.compile(f"({_expression})$"), list(_first))


def render(manifests: Iterable[Manifest]) -> str:
    """The manifests as YAML documents: the innermost lists and mappings, so each inbox, on one line."""
    return "---\n".join(_dumped(manifest, flow=None) for manifest in manifests)


def render_secrets(secrets: Iterable[Manifest]) -> str:
    """The same for Secrets: each key on a line of its own."""
    return "---\n".join(_dumped(secret, flow=False) for secret in secrets)


def _dumped(manifest: Manifest, *, flow: bool | None) -> str:
    text: str = yaml.dump(
        manifest, Dumper=_ManifestDumper, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    return text


def secret_manifest(name: str, namespace: str, values: dict[str, str]) -> Manifest:
    """A Secret with these plain values, only for a file that the user named."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": values}


def sized(items: Sequence[T], width: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """The items in parts that each fit into one object; `width`: the bytes of an item."""
    begin, size = 0, 0
    for position, item in enumerate(items):
        size += width(item)
        if position - begin == MAX_INBOXES or (position > begin and size > MAX_BYTES * _LIST_SHARE):
            yield items[begin:position]
            begin, size = position, width(item)
    if begin < len(items):
        yield items[begin:]


def read(places: Iterable[str]) -> list[Document]:
    """The objects of files, of folders with all below them, and of standard input (`-`); a List counts as its items."""
    return [document for place in places for path in _files(place) for document in _documents(path)]


def key_of(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    """Kind, namespace and name."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping):
        return str(manifest.get("kind")), "", ""
    return str(manifest.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one: a manifest may have anything anywhere."""
    return value if isinstance(value, Mapping) else {}


def called(manifest: Mapping[str, Any]) -> str:
    """The name for people; that of an object which the API server will name ends with `*`."""
    name = key_of(manifest)[2]
    return name or (f"{prefix}*" if (prefix := generate_name(manifest)) else "")


def generate_name(manifest: Mapping[str, Any]) -> str:
    """The prefix from which the API server makes the name; empty if the manifest has a name, or neither."""
    metadata = manifest.get("metadata")
    prefix = metadata.get("generateName") if isinstance(metadata, Mapping) and not metadata.get("name") else None
    return prefix if isinstance(prefix, str) else ""


def is_ours(manifest: Any) -> bool:
    """Whether it is of one of the two kinds, in any version or without one."""
    if not isinstance(manifest, Mapping):
        return False
    version = manifest.get("apiVersion")
    if version is None:
        return manifest.get("kind") in KINDS
    return str(version).startswith(f"{names.GROUP}/")


def _files(place: str) -> Iterator[str]:
    path = Path(place)
    if path.is_dir():
        yield from sorted(str(found) for found in path.rglob("*") if found.suffix in _SUFFIXES and found.is_file())
    elif place == "-" or path.exists():  # a pipe too, such as /dev/stdin
        yield place
    else:
        raise CommandError(f"{place}: no such file or folder")


def _documents(place: str) -> Iterator[Document]:
    text = read_text(place).removeprefix("\ufeff")  # Windows writes a byte order mark
    try:
        yield from parse(place, text)
    except yaml.YAMLError as error:
        way = "; it looks like a template of Helm: render it first, with helm template" if "{{" in text else ""
        raise CommandError(f"{place} is not YAML: {_fault(error)}{way}") from None


def parse(source: str, text: str) -> list[Document]:
    """The objects of a text. Raises YAMLError."""
    found: list[Document] = []
    for manifest in _parsed(text):
        if isinstance(manifest, dict) and str(manifest.get("kind")).endswith("List") and "items" in manifest:
            found += [Document(source, _item(manifest, item)) for item in manifest["items"] or ()]
        elif manifest is not None:
            found.append(Document(source, manifest))
    return found


def _item(of: Mapping[str, Any], item: Any) -> Any:
    """In a list of one kind, as the API server gives it, the items do not repeat the kind."""
    if of["kind"] == "List" or not isinstance(item, dict) or "kind" in item:
        return item
    return {"apiVersion": of.get("apiVersion"), "kind": of["kind"].removesuffix("List"), **item}


def _parsed(text: str) -> list[Any]:
    """Parse JSON as JSON: YAML does not support the surrogate pairs by which JSON may escape an emoji."""
    if text.lstrip().startswith("{"):
        try:
            return list(_json_values(text))
        except ValueError:
            pass  # a YAML mapping may begin like this too
    return list(yaml.load_all(text, Loader=_Loader))


def _json_values(text: str) -> Iterator[Any]:
    """One value after the other, as kubectl reads them."""
    decoder, rest = json.JSONDecoder(parse_float=lambda number: _number(float(number))), text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].lstrip()


def _fault(error: yaml.YAMLError) -> str:
    """What is wrong and where, without the surrounding text, which may be a Secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} (line {error.problem_mark.line + 1})"
    return "it has characters that YAML does not allow"
