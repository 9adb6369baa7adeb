"""Command line: `python -m devcluster.whole check | build | run -- COMMAND`."""

import argparse
import sys
import time

from devcluster.errors import DevclusterError
from devcluster.progress import say
from devcluster.whole import images, programs, requirements
from devcluster.whole.box import run_in_box


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m devcluster.whole", description=sys.modules["devcluster.whole"].__doc__
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    actions.add_parser("check", help="check whether this machine can run it; exit code 77 if not")
    actions.add_parser("build", help="build missing programs, and the image")
    run = actions.add_parser("run", help="build, then run a command in a new box, where it can start the cluster")
    run.add_argument("command", nargs="+", metavar="COMMAND", help="after --, with its arguments")
    options = parser.parse_args()
    requirements.see_system_programs()
    try:
        requirements.require_all()
        if options.action != "check":
            _build()
        return run_in_box(options.command) if options.action == "run" else 0
    except KeyboardInterrupt:
        return 130
    except DevclusterError as failure:
        say(f"whole cluster: {failure}")
        return failure.exit_code


def _build() -> None:
    began = time.monotonic()
    programs.build_all()
    built = time.monotonic()
    images.build_all()
    say(f"programs {built - began:.0f} s, images {time.monotonic() - built:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
