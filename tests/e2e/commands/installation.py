"""A wheel of this checkout in an environment that holds the locked packages of the operator and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "operator")


def install(folder: Path) -> Path:
    """The folder of its programs."""
    source, environment = folder / "source", folder / "environment"
    source.mkdir()
    for name in SOURCES:  # a build writes beside the sources
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    _uv("build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", folder, source)
    (wheel,) = folder.glob("*.whl")
    _uv("venv", "--quiet", "--python", sys.executable, environment)
    into = ("pip", "install", "--quiet", "--python", environment / "bin" / "python")
    _uv(*into, "--require-hashes", "-r", ROOT / "requirements" / "operator.txt")
    _uv(*into, "--no-deps", "--offline", wheel)
    return environment / "bin"


def _uv(*arguments: str | Path) -> None:
    done = subprocess.run([sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
