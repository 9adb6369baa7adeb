"""Who assigns the fields of an account: the core alone; the loops call transitions, named after what happened."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from coldsend_operator.core.model.account import Account

PACKAGE = Path(__file__).parents[3] / "operator/coldsend_operator"
FIELDS = {field.name for field in fields(Account)}
NAMES = {"account", "fresh", "other", "holder", "claimant"}  # how accounts are called


def assigned(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr in FIELDS):
            continue
        if isinstance(node.value, ast.Name) and node.value.id in NAMES:
            yield f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value.id}.{node.attr}"


def test_no_module_outside_the_core_assigns_a_field_of_an_account() -> None:
    folders = ("process", "accounts", "batches", "credentials", "kube", "coldsend")
    paths = [path for folder in folders for path in (PACKAGE / folder).rglob("*.py")]
    assert [found for path in paths for found in assigned(path)] == []


def test_the_search_finds_what_it_looks_for() -> None:
    assert list(assigned(PACKAGE / "core/model/transitions.py"))
