"""Helm, and what it makes of the chart."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "coldsend-operator"
RELEASE = "coldsend-operator"
NAMESPACE = "coldsend"


class HelmError(Exception):
    """What helm said when it refused."""


@dataclass(frozen=True)
class Rendered:
    """The objects of a release."""

    objects: tuple[Object, ...]

    def of(self, kind: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str = RELEASE) -> Object:
        (found,) = (each for each in self.of(kind) if each["metadata"]["name"] == name)
        return found

    @property
    def kinds(self) -> set[str]:
        return {each["kind"] for each in self.objects}

    @property
    def pod(self) -> Object:
        template: Object = self.one("Deployment")["spec"]["template"]
        return template

    @property
    def container(self) -> Object:
        container: Object = self.pod["spec"]["containers"][0]
        return container

    @property
    def env(self) -> dict[str, Any]:
        return {each["name"]: each.get("value") for each in self.container["env"]}


class Helm:
    """The program, called as people call it."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def __call__(self, *arguments: str) -> str:
        home = {f"HELM_{name}_HOME": str(self._folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run([self._program, *arguments], env=home, capture_output=True, text=True, check=False)
        if done.returncode:
            raise HelmError(done.stdout + done.stderr)
        return done.stdout

    def text(self, values: Object | None = None, release: str = RELEASE) -> str:
        """The manifests of a release with these values."""
        path = self._folder / "values.yaml"
        path.write_text(yaml.safe_dump(values or {}))
        return self("template", release, str(CHART), "--namespace", NAMESPACE, "--values", str(path))

    def render(self, values: Object | None = None, release: str = RELEASE) -> Rendered:
        return Rendered(tuple(each for each in yaml.safe_load_all(self.text(values, release)) if each))
