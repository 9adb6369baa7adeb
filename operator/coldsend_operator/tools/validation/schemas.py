"""JSON schemas of both kinds, for editors and for kubeconform."""

import json
import re
from pathlib import Path
from typing import Any

from coldsend_operator.resources import names
from coldsend_operator.resources.crd import account_crd, batch_crd
from coldsend_operator.tools.files import write_file

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PATTERN = re.compile(r"self\.matches\(r'(\^.*\$)'\)")
_RULES = "x-kubernetes-validations"


def write(folder: Path) -> list[Path]:
    """Write one file per kind, named as kubeconform expects. Returns the paths."""
    written = []
    for name, schema in schemas().items():
        path = folder / name
        write_file(path, json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
        written.append(path)
    return written


def schemas() -> dict[str, dict[str, Any]]:
    """File name to schema. Rules that compare fields are not in it: JSON schema cannot say them in words."""
    return dict(_schema(definition) for definition in (account_crd(), batch_crd()))


def _schema(definition: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = definition["spec"]["names"]["kind"]
    root = _converted(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    root["properties"] |= {
        "apiVersion": {"const": names.API_VERSION},
        "kind": {"const": kind},
        "metadata": {"type": "object"},
    }
    root["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return f"{kind.lower()}_{names.VERSION}.json", {"$schema": _DIALECT, "title": kind, **root}


def _converted(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without Kubernetes extensions, and closed: a misspelled field is an error, as in kubectl."""
    made = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-") and key != "nullable"}
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
        made.pop("anyOf", None)
    for rule in schema.get(_RULES, ()):
        if (match := _PATTERN.fullmatch(rule["rule"])) is not None:
            made["pattern"] = match[1]
    if schema.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if "properties" in schema:
        made["properties"] = {name: _converted(field) for name, field in schema["properties"].items()}
        made["additionalProperties"] = False
    if "items" in schema:
        made["items"] = _converted(schema["items"])
    return made
