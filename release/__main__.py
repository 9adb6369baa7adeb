"""The command line of releases, for the Makefile and .github/workflows/release.yaml."""

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from devcluster.builder import build as build_program
from devcluster.kubectl import any_kubectl
from devcluster.modules import HELM, PUBLISHING
from release import artifacts, manifests, version
from release.artifacts import Name, Programs
from release.errors import ReleaseError
from release.image import Origin
from release.oci import Layout
from release.version import ROOT, Version


def main(arguments: list[str]) -> int:
    try:
        chosen = _parser().parse_args(arguments)
        chosen.does(chosen)
    except ReleaseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m release")
    commands = parser.add_subparsers(required=True)

    one = commands.add_parser(
        "version", help="write the version of coldsend_operator/__init__.py to all files that name it"
    )
    one.add_argument("--check", action="store_true", help="fail if a file names another version")
    one.set_defaults(does=_version)

    one = commands.add_parser(
        "prepare", help="set a new version everywhere, also as the heading of the unreleased changes"
    )
    one.add_argument("version", type=Version)
    one.set_defaults(does=lambda chosen: version.prepare(chosen.version, datetime.now(UTC).strftime("%Y-%m-%d")))

    one = commands.add_parser("tag", help="fail if this tag cannot be released")
    one.add_argument("tag")
    one.set_defaults(does=lambda chosen: version.check_tag(chosen.tag))

    one = commands.add_parser("base", help="print the name of the Dockerfile's base image")
    one.set_defaults(does=lambda _: sys.stdout.write(f"{_base()}\n"))

    one = commands.add_parser("programs", help="build crane and helm, and print their folders")
    one.set_defaults(does=_programs)

    one = commands.add_parser("kustomize", help="generate kustomize/ from the chart")
    one.set_defaults(does=lambda _: manifests.write(_helm()))

    one = commands.add_parser("build", help="write all files of a release into a new folder")
    one.add_argument("folder", type=Path)
    one.add_argument("--base", type=Path, required=True, help="OCI layout of the base image, with all platforms")
    one.add_argument("--image", type=Name, required=True, help="name of the published image, without a tag")
    one.add_argument("--source", default="", help="URL of the repository")
    one.set_defaults(does=_build)
    return parser


def _version(chosen: argparse.Namespace) -> None:
    if not chosen.check:
        version.follow()
    elif wrong := version.stale():
        raise ReleaseError(f"these files name another version: {', '.join(wrong)}; run `make generate`")


def _programs(_: argparse.Namespace) -> None:
    sys.stdout.write(f"{build_program(PUBLISHING, ['crane'])}\n{_helm().parent}\n")


def _build(chosen: argparse.Namespace) -> None:
    if chosen.folder.exists():
        raise ReleaseError(f"{chosen.folder} already exists")
    commit, committed = _git("log", "-1", "--format=%H %ct").split()
    origin = Origin(version.current(), commit, int(committed), chosen.source, _base())
    programs = Programs(_helm(), any_kubectl())
    made = artifacts.build(chosen.folder, Layout(chosen.base), chosen.image, origin, programs)
    for part in made.parts:
        sys.stdout.write(
            f"{part.platform}: {part.digest}, {part.files / 1e6:.0f} MB of files beside the base, "
            f"{part.download / 1e6:.0f} MB to download\n"
        )
    sys.stdout.write(f"{chosen.image.text}: {made.digest}\n")


def _base() -> str:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("ARG BASE=")).removeprefix("ARG BASE=")


def _helm() -> Path:
    return build_program(HELM, HELM.packages) / "helm"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - git from PATH


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
