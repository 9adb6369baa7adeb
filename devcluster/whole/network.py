"""The network interface of the node."""

import subprocess
from pathlib import Path

from devcluster.whole import places

_COMMANDS = (
    "link add host0 type veth peer name host1",  # nothing is connected to host1
    f"address add {places.HOST_NETWORK} dev host0",
    "link set host0 up",
    "link set host1 up",
    "route add default dev host0",
)


def set_up() -> None:
    """Create the interface; call it in the box."""
    for command in _COMMANDS:
        subprocess.run(["ip", *command.split()], check=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
