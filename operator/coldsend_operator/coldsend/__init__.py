"""The door to ColdSend: HTTP and JSON on one side, the records of `core.model.answers` on the other.

Callers need `client.ColdSendClient`, the payloads of `models`, and `errors.CallFailed`.
"""

import sys
from types import ModuleType
from typing import cast

# httpx imports its own command line, and with it click, rich and pygments (6 MB), wherever these are installed. None
# in sys.modules makes that one import fail as if they were not, which httpx is prepared for.
sys.modules.setdefault("httpx._main", cast("ModuleType", None))
