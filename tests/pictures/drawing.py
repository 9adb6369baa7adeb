"""The program in a terminal of a fixed size, and what it drew there as SVG."""

import os
import pty
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from tests.pictures.worlds import NAMESPACE, for_plan, for_status
from tests.tools.api_pages import api_server

COLUMNS = 124
PICTURES = Path(__file__).parents[2] / "docs" / "images"
PLAN = ("plan", "-f", "inboxes", "--prune", "-l", "team=sales", "--snapshot", "snapshot.json")
STATUS = ("status", "-n", NAMESPACE)
_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)  # rich would have them loaded from elsewhere


def files() -> dict[Path, str]:
    """What each picture should hold."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for_plan(folder)
        plan = run(folder, *PLAN)
        with api_server(for_status(), folder / "config", missing=404):
            status = run(folder, *STATUS, KUBECONFIG=str(folder / "config"))
    return {
        PICTURES / "plan.svg": _picture("plan", PLAN, plan),
        PICTURES / "status.svg": _picture("status", STATUS, status),
    }


def run(folder: Path, *arguments: str, **environment: str) -> str:
    """All that the program wrote to the terminal."""
    ours, theirs = pty.openpty()
    around = {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path), "TERM": "xterm", "COLUMNS": str(COLUMNS)}
    command = [sys.executable, "-m", "coldsend_operator", *arguments]
    process = subprocess.Popen(command, cwd=folder, env={**around, **environment}, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    while part := _read(ours):
        written += part
    os.close(ours)
    process.wait()
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so when nobody holds the other end any more
        return b""


def _picture(name: str, arguments: tuple[str, ...], written: str) -> str:
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="standard")
    console.print(Text(f"$ kubectl coldsend {' '.join(arguments)}", style="bold"))
    console.print(Text.from_ansi(written))
    svg = console.export_svg(title=f"kubectl coldsend {name}", unique_id=f"coldsend-{name}")
    return _FONT.sub("", svg)
