"""Stories that must come true however the API behaves. The name of each function says what."""

import pkgutil

import pytest

pytest.register_assert_rewrite(*(each.name for each in pkgutil.iter_modules(__path__, f"{__name__}.")))
