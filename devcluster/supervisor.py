"""The supervisor of one run, which owns its components and folder: `python -m devcluster.supervisor FD`.

FD is a socket to the parent (`embedded`), for the order and the answers. When its other end closes, all is removed.
"""

import socket
import sys

from devcluster.errors import DevclusterError
from devcluster.lifeline import Lifeline, ParentGoneError
from devcluster.messages import Answer, Order
from devcluster.processes import Processes
from devcluster.run_folder import run_folder
from devcluster.startup import Startup

_CHECK_SECONDS = 0.5


def main() -> int:
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        lifeline = Lifeline(connection)
        try:
            _supervise(Order.from_line(lifeline.read_line()), lifeline)
        except ParentGoneError:
            return 0
        except (DevclusterError, OSError) as failure:
            lifeline.write_line(Answer(failure=str(failure)).to_line())
        return 1


def _supervise(order: Order, lifeline: Lifeline) -> None:
    def wait(seconds: float) -> None:
        lifeline.wait(seconds, order.parent)

    with run_folder(order.root) as folder, _reserved_port() as port, Processes(folder) as processes:
        startup = Startup(order.programs, folder, processes, port.getsockname()[1], order.audit, wait)
        startup.run()
        lifeline.write_line(Answer("", str(folder.path), startup.url, startup.admin_token, processes.pids).to_line())
        while True:
            wait(_CHECK_SECONDS)
            processes.check()


def _reserved_port() -> socket.socket:
    """A free port, bound but not served: the API server shares it, and no other program can take it."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


if __name__ == "__main__":
    sys.exit(main())
