"""The comments of GitHub's pull requests over HTTP, as far as the action asks for them."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT = "github-actions[bot]"
_OF_PULL_REQUEST = re.compile(r"/repos/sales/inboxes/issues/7/comments")
_ONE = re.compile(r"/repos/sales/inboxes/issues/comments/(\d+)")


class GitHub:
    """`comments` by id, in their order. `refuse` is a code with which every request is answered."""

    def __init__(self) -> None:
        self.comments: dict[int, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.tokens: set[str] = set()
        self.refuse = 0
        self.url = ""

    def write(self, author: str, body: str) -> int:
        comment = len(self.comments) + 1
        self.comments[comment] = {"id": comment, "user": {"login": author}, "body": body}
        return comment

    @property
    def bodies(self) -> list[str]:
        return [each["body"] for each in self.comments.values()]

    def answer(self, method: str, target: str, body: dict[str, str]) -> tuple[int, Any]:
        parts = urlsplit(target)
        one = _ONE.fullmatch(parts.path)
        if self.refuse:
            return self.refuse, {"message": "Resource not accessible by integration"}
        if _OF_PULL_REQUEST.fullmatch(parts.path):
            if method == "POST":
                return 201, self.comments[self.write(BOT, body["body"])]
            asked = parse_qs(parts.query)
            size, page = int(asked["per_page"][0]), int(asked["page"][0])
            return 200, list(self.comments.values())[(page - 1) * size : page * size]
        if one is None or int(one[1]) not in self.comments:
            return 404, {"message": "Not Found"}
        if method == "DELETE":
            del self.comments[int(one[1])]
            return 204, None
        self.comments[int(one[1])]["body"] = body["body"]
        return 200, self.comments[int(one[1])]


@contextmanager
def github() -> Iterator[GitHub]:
    """It serves until the block ends."""
    played = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            played.requests.append((self.command, self.path))
            played.tokens.add(self.headers.get("Authorization", ""))
            code, said = played.answer(self.command, self.path, body)
            text = b"" if said is None else json.dumps(said).encode()
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"{played.url}/elsewhere")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815 - names of the library

        def log_message(self, *_: Any) -> None:
            """The test looks at `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    played.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield played
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
