"""What must come true whatever the API turns out to do. Each function is a story; its name says what."""

import pkgutil

import pytest

pytest.register_assert_rewrite(*(each.name for each in pkgutil.iter_modules(__path__, f"{__name__}.")))
