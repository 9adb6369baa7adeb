"""Writes pip's settings of this machine about package sources: `python pip_settings.py FILE`."""

import ast
import os
import re
import subprocess
import sys

_ABOUT_THE_SOURCE = {"cert", "extra-index-url", "index-url", "proxy", "timeout", "trusted-host"}
_SETTING = re.compile(r"^(?:global|install|:env:)\.([a-z-]+)=(.*)$")  # the environment is first, and wins


def settings() -> dict[str, str]:
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    found: dict[str, str] = {}
    for line in listed.splitlines():
        if (setting := _SETTING.match(line)) and setting[1] in _ABOUT_THE_SOURCE:
            found.setdefault(setting[1], ast.literal_eval(setting[2]).replace("\n", "\n  "))
    return found


if __name__ == "__main__":
    # Readable by the user only: the URL of a mirror may contain a password.
    with os.fdopen(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings().items()))
