"""Stories of SenderAccountBatch: what people do with many inboxes at once, and what must come true."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.pool", f"{__name__}.stories")
