"""Only `core.model.transitions` assigns the fields of an account, by functions named after what happened."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from inspect import getmembers, isfunction
from pathlib import Path

import pytest

from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account

PACKAGE = Path(__file__).parents[3] / "operator/coldsend_operator"
TRANSITIONS = PACKAGE / "core/model/transitions"
FIELDS = {field.name for field in fields(Account)}
NO_ACCOUNTS = {"self", "batch"}  # names of what has fields of the same names and is no account


def assigned(source: str) -> Iterator[str]:
    """Each place where a field of an account is set or deleted, whatever the account is called there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and node.attr in FIELDS:
            if not (isinstance(node.value, ast.Name) and node.value.id in NO_ACCOUNTS):
                yield f"{node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in {"setattr", "__setattr__"}:
                yield f"{node.lineno}: {ast.unparse(node)}"


def test_no_module_outside_transitions_assigns_a_field_of_an_account() -> None:
    paths = [path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(TRANSITIONS)]
    assert len(paths) > 100
    found = [(path, place) for path in paths for place in assigned(path.read_text(encoding="utf-8"))]
    assert [f"{path.relative_to(PACKAGE)}:{place}" for path, place in found] == []


def test_an_account_assigns_no_field_of_its_own() -> None:
    tree = ast.parse((PACKAGE / "core/model/account.py").read_text(encoding="utf-8"))
    (account,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Account"]
    stores = [node for node in ast.walk(account) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    assert [ast.unparse(node) for node in stores] == []


@pytest.mark.parametrize(
    "line",
    [
        "account.busy = 1",
        "workspace.accounts[uid].busy = 1",
        "a, other.busy = 1, 2",
        "each.unknowns += 1",
        "del account.busy",
        "setattr(account, 'busy', 1)",
        "object.__setattr__(account, 'busy', 1)",
    ],
)
def test_the_search_finds_each_way_to_assign(line: str) -> None:
    assert len(list(assigned(line))) == 1


def test_each_transition_says_what_happened() -> None:
    found = [
        each for _, each in getmembers(transitions, isfunction) if each.__module__.startswith(transitions.__name__)
    ]
    assert len(found) > 50
    assert [each.__name__ for each in found if not (each.__doc__ or "").strip()] == []


def test_no_two_modules_have_a_transition_of_one_name() -> None:
    names = [
        node.name
        for path in TRANSITIONS.glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert sorted(names) == sorted(set(names))
