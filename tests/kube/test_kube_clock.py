"""One clock: what the API server dates and what ColdSend dates are compared on it (rule 6)."""

import asyncio
import json
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.clock import unix_seconds


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An API server whose clock is right."""
    await reader.readuntil(b"\r\n\r\n")
    head = (
        f"HTTP/1.1 200 OK\r\nDate: {formatdate(REAL(), usegmt=True)}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + b"{}")
    await writer.drain()
    writer.close()


REAL = time.time


async def test_that_a_wall_clock_set_again_moves_no_time_of_the_api_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = tmp_path / "kubeconfig"
    config.write_text(json.dumps(kubeconfig(port)))
    monkeypatch.setenv("KUBECONFIG", str(config))
    async with KubeClient(lambda kind, verb: None) as client:
        monkeypatch.setattr(time, "time", lambda: REAL() + 3600.0)
        await client.get("/version")
        assert abs(unix_seconds() + client.clock_offset - REAL()) < 30.0
    server.close()


def kubeconfig(port: int) -> dict[str, object]:
    return {
        "clusters": [{"name": "one", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "one", "user": {}}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "current-context": "one",
    }
