"""Command line: `python -m devcluster up | run -- COMMAND | build`."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from devcluster.builder import build
from devcluster.choice import control_plane, uses_current_cluster
from devcluster.cluster import Cluster
from devcluster.errors import DevclusterError
from devcluster.modules import MODULES
from devcluster.programs import find_kubectl, find_programs
from devcluster.progress import say

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_COMMAND_NOT_FOUND = 127


class _EndedError(BaseException):
    """A signal asked this process to end; a BaseException, so that no `except Exception` catches it."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    _on_ending(_end)
    try:
        return int(options.action(options))
    except _EndedError as ended:
        return ended.exit_code
    except DevclusterError as failure:
        say(f"devcluster: {failure}")
        return failure.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devcluster", description=sys.modules["devcluster"].__doc__)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    up = actions.add_parser("up", help="start, print KUBECONFIG=PATH, stay until Ctrl-C")
    run = actions.add_parser("run", help="run a command with KUBECONFIG set and return its exit code")
    only_build = actions.add_parser("build", help="build or install what is missing, start nothing")
    up.set_defaults(action=_up)
    run.set_defaults(action=_run)
    only_build.set_defaults(action=_build)
    for starting in (up, run):
        starting.add_argument("--audit", action="store_true", help="write an audit log of all requests")
    run.add_argument("command", nargs="+", metavar="COMMAND", help="after --, with its arguments")
    only_build.add_argument(
        "--least", action="store_true", help="only what the demo needs, without the controller manager"
    )
    only_build.add_argument("--all", action="store_true", help="the programs of all modules")
    return parser


def _up(options: argparse.Namespace) -> int:
    with control_plane(audit=options.audit) as cluster:
        print(f"KUBECONFIG={cluster.kubeconfig}", flush=True)
        if cluster.audit_log is not None:
            print(f"AUDIT_LOG={cluster.audit_log}", flush=True)
        say("Ctrl-C stops the control plane and removes its files.")
        try:
            cluster.wait_for_end()
        except _EndedError:
            return 0
    return 1


def _run(options: argparse.Namespace) -> int:
    with control_plane(audit=options.audit) as cluster:
        return _run_command(options.command, cluster)


def _run_command(command: list[str], cluster: Cluster) -> int:
    try:
        running = subprocess.Popen(command, env=_environment(cluster))
    except OSError as error:
        say(f"devcluster: {command[0]} cannot be run: {error.strerror}")
        return _COMMAND_NOT_FOUND

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT or not sys.stdin.isatty():  # a terminal sends Ctrl-C to the command, too
            running.send_signal(number)

    _on_ending(pass_on)
    code = running.wait()
    _on_ending(_end)
    return code if code >= 0 else 128 - code


def _environment(cluster: Cluster) -> dict[str, str]:
    programs = cluster.folder / "bin"  # on PATH, so that the command finds a kubectl of the right version
    programs.mkdir()
    (programs / "kubectl").symlink_to(cluster.kubectl)
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "PATH": path}


def _build(options: argparse.Namespace) -> int:
    if not uses_current_cluster():
        find_programs(controllers=not options.least)
        find_kubectl()
    for module in MODULES if options.all else ():
        build(module, module.packages)
    return 0


def _on_ending(handler: "signal._HANDLER") -> None:
    for number in _ENDING:
        signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    _on_ending(signal.SIG_IGN)  # a second signal must not interrupt the cleanup
    raise _EndedError(number)


if __name__ == "__main__":
    sys.exit(main())
