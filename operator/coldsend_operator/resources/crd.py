"""The CustomResourceDefinitions, generated from the models; `crds/` holds what this module renders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from coldsend_operator.resources import names
from coldsend_operator.resources.account import SenderAccountSpec
from coldsend_operator.resources.account_status import SenderAccountStatus
from coldsend_operator.resources.batch import SenderAccountBatchSpec, SenderAccountBatchStatus
from coldsend_operator.resources.batch_rules import NAME_RULE
from coldsend_operator.resources.columns import ACCOUNT_COLUMNS, BATCH_COLUMNS, Column
from coldsend_operator.resources.common import validations
from coldsend_operator.resources.schema import structural

HEADER = "# Generated from the models in coldsend_operator/resources (`coldsend-operator crds`); do not edit.\n"

ACCOUNT_DESCRIPTION = (
    "SenderAccount is one inbox of ColdSend: a native one, or an existing mailbox of Google Workspace, Outlook 365 or "
    "any SMTP server."
)
BATCH_DESCRIPTION = (
    "SenderAccountBatch is a list of up to 5,000 inboxes of ColdSend that share a template. It owns one SenderAccount "
    "for each of them, as a Deployment owns Pods, and provisions them through bulk calls."
)
# The status of an object that the operator has not seen yet: kstatus counts it as in progress, as no generation is -1.
UNSEEN = {"observedGeneration": -1}


def account_crd() -> dict[str, Any]:
    return _definition(
        kind=names.ACCOUNT_KIND,
        plural=names.ACCOUNT_PLURAL,
        singular=names.ACCOUNT_SINGULAR,
        short_name=names.ACCOUNT_SHORT_NAME,
        columns=ACCOUNT_COLUMNS,
        selectable=(".spec.inboxType", ".spec.emailAddress", ".status.overallStatus", ".status.domain"),
        schema=_root(ACCOUNT_DESCRIPTION, SenderAccountSpec, SenderAccountStatus),
    )


def batch_crd() -> dict[str, Any]:
    schema = _root(BATCH_DESCRIPTION, SenderAccountBatchSpec, SenderAccountBatchStatus)
    return _definition(
        kind=names.BATCH_KIND,
        plural=names.BATCH_PLURAL,
        singular=names.BATCH_SINGULAR,
        short_name=names.BATCH_SHORT_NAME,
        columns=BATCH_COLUMNS,
        selectable=(".spec.template.inboxType",),
        schema={**schema, **validations(NAME_RULE)},
    )


def crd_files() -> dict[str, str]:
    """File name to YAML, one for each kind."""
    return {
        f"{names.GROUP}_{definition['spec']['names']['plural']}.yaml": HEADER + _to_yaml(definition)
        for definition in (account_crd(), batch_crd())
    }


def render_crds() -> str:
    """Both CRDs as one YAML stream."""
    return "---\n".join(crd_files().values())


def write_crds(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in crd_files().items():
        (folder / name).write_text(text, encoding="utf-8")


def check(folder: Path) -> list[str]:
    """What in `folder` differs from the models: one sentence for each file, none when it is current."""
    return [problem for name, text in crd_files().items() if (problem := _difference(folder / name, text))]


def _difference(path: Path, text: str) -> str:
    if not path.is_file():
        return f"{path} is missing; write it with `make generate`"
    if path.read_text(encoding="utf-8") != text:
        return f"{path} differs from the models; write it again with `make generate`"
    return ""


def _definition(
    *,
    kind: str,
    plural: str,
    singular: str,
    short_name: str,
    columns: tuple[Column, ...],
    selectable: tuple[str, ...],
    schema: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": singular,
                "shortNames": [short_name],
                "categories": [names.CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": names.VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [column.to_schema() for column in columns],
                    "selectableFields": [{"jsonPath": path} for path in selectable],
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def _root(description: str, spec: type[BaseModel], status: type[BaseModel]) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"description": f"Always {names.API_VERSION}.", "type": "string"},
            "kind": {"description": "The kind of this object.", "type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(spec),
            "status": {**structural(status, nullable=True), "default": UNSEEN},
        },
    }


class _Dumper(yaml.SafeDumper):
    """No YAML aliases, for readers of the CRD."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _to_yaml(definition: Mapping[str, Any]) -> str:
    return yaml.dump(definition, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
