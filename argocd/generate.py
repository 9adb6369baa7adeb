"""What Argo CD reads, made from health.lua: `python argocd/generate.py [--check]` (part of `make generate`).

`resource_customizations/` has the form of the folder of that name in Argo CD; `argocd-cm.yaml` is the same for an
installation that is there already.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
GROUP = "coldsend.pro"
KINDS = ("SenderAccount", "SenderAccountBatch")
COMMENT = "# Made from health.lua by `make generate`. Merge it into the argocd-cm that is there: README.md says how.\n"
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
# A change of status that leaves the health as it is refreshes no Application: counters of mails change all day long.
QUIET = """\
  resource.customizations.ignoreResourceUpdates.{group}_{kind}: |
    jsonPointers:
    - /status
"""


def files() -> dict[Path, str]:
    """What each made file should hold."""
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
        sys.exit("not current, run `make generate`: " + ", ".join(path.name for path in stale))


if __name__ == "__main__":
    main()
