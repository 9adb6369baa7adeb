"""What the node has for a network card."""

import subprocess
from pathlib import Path

from devcluster.whole import places

_COMMANDS = (
    "link add host0 type veth peer name host1",  # the other end leads nowhere
    f"address add {places.HOST_NETWORK} dev host0",
    "link set host0 up",
    "link set host1 up",
    "route add default dev host0",
)


def set_up() -> None:
    """Within the box."""
    for command in _COMMANDS:
        subprocess.run(["ip", *command.split()], check=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
