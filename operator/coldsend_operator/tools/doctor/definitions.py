"""Whether the CRDs of the cluster are those of this version. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from coldsend_operator.resources import names
from coldsend_operator.resources.crd import account_crd, batch_crd
from coldsend_operator.tools.doctor.checks import Check, bad, doubtful, good
from coldsend_operator.tools.output import few

AREA = "definitions"
_RULES = "x-kubernetes-validations"
_INSTALL = f"install those of this version: {names.INSTALL_CRDS}"


def compared(published: Mapping[str, Any]) -> Iterator[Check]:
    """`published`: what /openapi/v3/apis/coldsend.pro/v1alpha1 says, which every user of a cluster may read."""
    schemas = (published.get("components") or {}).get("schemas") or {}
    for definition in (account_crd(), batch_crd()):
        kind = definition["spec"]["names"]["kind"]
        ours = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        theirs = (schemas.get(f"pro.coldsend.{names.VERSION}.{kind}") or {}).get("properties") or {}
        yield _compared(kind, ours, theirs)


def _compared(kind: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Check:
    if not theirs:
        return doubtful(AREA, f"the API server does not publish the fields of {kind} yet; try again in a moment")
    mine = {path: node for part in ("spec", "status") for path, node in _nodes(ours[part], part)}
    there = {path: node for part in ("spec", "status") for path, node in _nodes(theirs.get(part) or {}, part)}
    missing, more = [path for path in mine if path not in there], [path for path in there if path not in mine]
    if missing:
        return bad(AREA, f"{kind} in the cluster is older than this program: it lacks {few(missing)}; {_INSTALL}")
    if more:
        return doubtful(AREA, f"{kind} in the cluster is newer than this program: it also has {few(more)}")
    other = [path for path, node in mine.items() if _said(node) != _said(there[path])]
    if other:
        return bad(AREA, f"{kind} in the cluster has another version: {few(other)} differ; {_INSTALL}")
    return good(AREA, f"{kind} is served, with the fields and rules of this version")


def _nodes(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field below a schema by its path."""
    yield path, schema
    for name, field in (schema.get("properties") or {}).items():
        yield from _nodes(field, f"{path}.{name}")
    if isinstance(schema.get("items"), Mapping):
        yield from _nodes(schema["items"], f"{path}[]")


def _said(schema: Mapping[str, Any]) -> tuple[Any, ...]:
    """The validations of a schema, in the form that the API server publishes unchanged."""
    rules = tuple(str(rule.get("rule")) for rule in schema.get(_RULES) or ())
    bounds = tuple(schema.get(name) for name in ("maxLength", "minLength", "maxItems", "maximum", "minimum", "pattern"))
    return (*bounds, frozenset(map(str, schema.get("enum") or ())), rules)
