"""The end of the process."""

import subprocess
import sys

ENDLESS = """
import asyncio
from coldsend_operator.handlers import end_process_after

async def never_ends():
    end_process_after(0.1, code=7)
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

asyncio.run(never_ends())
"""


def test_that_the_process_ends_though_a_task_refuses_to() -> None:
    assert subprocess.run([sys.executable, "-c", ENDLESS], timeout=60, check=False).returncode == 7
