"""Generates the files for Argo CD from health.lua: `python argocd/generate.py [--check]` (part of `make generate`).

`resource_customizations/` has the layout of that folder in Argo CD's repository; `argocd-cm.yaml` is for an existing
installation.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
GROUP = "coldsend.pro"
KINDS = ("SenderAccount", "SenderAccountBatch")
COMMENT = "# Generated from health.lua by `make generate`. Merge it into the existing argocd-cm as README.md says.\n"
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  namespace: argocd
  labels:
    app.kubernetes.io/name: argocd-cm
    app.kubernetes.io/part-of: argocd
data:
"""
# Status changes alone do not refresh Applications, as mail counters change all day; changes of health still do.
QUIET = """\
  resource.customizations.ignoreResourceUpdates.{group}_{kind}: |
    jsonPointers:
    - /status
"""


def files() -> dict[Path, str]:
    """The content of each generated file."""
    script = (HERE / "health.lua").read_text(encoding="utf-8")
    folders = {HERE / "resource_customizations" / GROUP / kind / "health.lua": script for kind in KINDS}
    return folders | {HERE / "argocd-cm.yaml": _config_map(script)}


def _config_map(script: str) -> str:
    entries = [_entry(kind, script) for kind in KINDS]
    return COMMENT + CONFIG_MAP + "".join(entries)


def _entry(kind: str, script: str) -> str:
    lines = (f"    {line}" if line else "" for line in script.splitlines())
    health = f"  resource.customizations.health.{GROUP}_{kind}: |\n" + "\n".join(lines) + "\n"
    return health + QUIET.format(group=GROUP, kind=kind)


def main() -> None:
    made = files()
    if "--check" not in sys.argv:
        for path, text in made.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if stale:
        sys.exit("not up to date, run `make generate`: " + ", ".join(path.name for path in stale))


if __name__ == "__main__":
    main()
