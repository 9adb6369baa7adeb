"""An API server of fixed pages over real HTTP, for what a real one cannot show: pods, logs, rights taken away."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class _Answers(BaseHTTPRequestHandler):
    """GETs by path out of `pages` of the server; what is not there is forbidden."""

    def do_GET(self) -> None:
        server: Any = self.server
        path = self.path.partition("?")[0]
        server.asked.append(path)
        found = server.pages.get(path) if "previous" not in self.path else None
        group = "events.events.k8s.io" if "/events" in path else "it"
        refusal = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": f"{group} is forbidden"}
        body = (found if isinstance(found, str) else json.dumps(found or refusal)).encode()
        self.send_response(200 if found else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Nothing is ever taken; who is asked who may do what says no."""
        server: Any = self.server
        server.written.append(f"{self.command} {self.path.partition('?')[0]}")
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"status": {"allowed": false}}'
        self.send_response(201 if "accessreviews" in self.path else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - names that the library asks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library gives it
        pass


@contextmanager
def api_server(pages: dict[str, Any], config: Path, written: list[str] | None = None) -> Iterator[list[str]]:
    """An API server with these pages, which `config` points at; the paths that were asked for.

    `written` takes method and path of whatever else is sent.
    """
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.pages, server.asked, server.written = pages, [], [] if written is None else written
    named = {"name": "it", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
    context = {"name": "it", "context": {"cluster": "it", "user": "it"}}
    whole = {"current-context": "it", "clusters": [named], "contexts": [context], "users": [{"name": "it", "user": {}}]}
    config.write_text(json.dumps(whole), encoding="utf-8")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
