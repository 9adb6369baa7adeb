"""What the stories run on: the API server, the emulator, and operators as separate processes."""

import pkgutil

import pytest

pytest.register_assert_rewrite(*(each.name for each in pkgutil.iter_modules(__path__, f"{__name__}.")))
