"""What a story plays on: the API server, ColdSend as the emulator plays it, and operators as processes of their own."""

import pkgutil

import pytest

pytest.register_assert_rewrite(*(each.name for each in pkgutil.iter_modules(__path__, f"{__name__}.")))
