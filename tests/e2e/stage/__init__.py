"""What a story plays on: the API server, ColdSend as the emulator plays it, and operators as processes of their own."""

import pytest

pytest.register_assert_rewrite(__name__)
