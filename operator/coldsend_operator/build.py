"""The identity of this build."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

_COMMIT_FILE = Path(__file__).with_name("COMMIT")  # written when an image or a wheel is built
_CHECKOUT = Path(__file__).parents[2]


@cache
def commit() -> str:
    """The commit of the image or checkout that this runs from; `unknown` without one."""
    if _COMMIT_FILE.is_file():
        return _COMMIT_FILE.read_text(encoding="ascii").strip()
    git = shutil.which("git")
    if git is None or not (_CHECKOUT / ".git").exists():
        return "unknown"
    asked = subprocess.run(  # noqa: S603 - fixed arguments
        [git, "-C", str(_CHECKOUT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"
