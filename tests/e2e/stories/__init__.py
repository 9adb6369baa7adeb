"""What users would try with one account. Each function is a story; its name says what must come true."""

import inspect
import pkgutil
from types import ModuleType
from typing import Any

import pytest

pytest.register_assert_rewrite(*(each.name for each in pkgutil.iter_modules(__path__, f"{__name__}.")))


def stories_of(*modules: ModuleType) -> list[Any]:
    """The public functions of these modules, in their order."""
    return [
        found
        for module in modules
        for name, found in vars(module).items()
        if inspect.isfunction(found) and found.__module__ == module.__name__ and not name.startswith("_")
    ]
