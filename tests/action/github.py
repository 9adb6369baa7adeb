"""The comments of GitHub's pull requests over HTTP, as far as the action asks for them."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.http_server import Request, Response, serving

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

    def answer(request: Request) -> Response:
        played.requests.append((request.method, request.target))
        played.tokens.add(request.headers.get("Authorization", ""))
        code, said = played.answer(request.method, request.target, json.loads(request.body or "{}"))
        return Response(code, said, {"Location": f"{played.url}/elsewhere"} if code == 302 else {})

    with serving(answer) as played.url:
        yield played
