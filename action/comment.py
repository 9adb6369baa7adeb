"""Keeps one comment of a pull request up to date, with the standard library only; input is in the environment."""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = 100
MAX_PAGES = 100
LONGEST = 65_536  # maximum length on GitHub, in characters
SECONDS = 30
UNCHANGED = "0"  # exit code of a plan that changes nothing
_KEY = re.compile(r"[A-Za-z0-9._-]{1,50}")


class Refused(Exception):  # noqa: N818 - the response of GitHub
    """GitHub refused a request."""

    def __init__(self, code: int, what: str) -> None:
        super().__init__(f"GitHub answers {code} to {what}")
        self.code = code


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would send the token to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Comments:
    """The comments of one pull request."""

    def __init__(self, api: str, repository: str, pull_request: str, token: str) -> None:
        self._repository = f"{api}/repos/{repository}/issues"
        self._pull_request = f"{self._repository}/{pull_request}/comments"
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirect)

    def of(self, author: str, marker: str) -> list[int]:
        """The ids of the author's comments that begin with the marker, oldest first."""
        return [
            each["id"]
            for each in self._all()
            if (each.get("user") or {}).get("login") == author and (each.get("body") or "").startswith(marker)
        ]

    def add(self, body: str) -> None:
        self._ask("POST", self._pull_request, {"body": body})

    def change(self, comment: int, body: str) -> None:
        self._ask("PATCH", f"{self._repository}/comments/{comment}", {"body": body})

    def remove(self, comment: int) -> None:
        self._ask("DELETE", f"{self._repository}/comments/{comment}")

    def _all(self) -> Iterator[dict[str, Any]]:
        for page in range(1, MAX_PAGES + 1):
            found = self._ask("GET", f"{self._pull_request}?per_page={PAGE}&page={page}")
            yield from found
            if len(found) < PAGE:
                return

    def _ask(self, method: str, url: str, body: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the URL is the runner's own
            url,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, f"{method} of a comment") from None
        return json.loads(text) if text else None


def keep(comments: Comments, author: str, key: str, text: str, *, unchanged: bool) -> str:
    """Create or update the comment. Returns what was done. A plan without changes creates no comment."""
    marker = f"<!-- coldsend-plan: {key} -->"
    body = f"{marker}\n{text}"
    if len(body) > LONGEST:
        body = f"{marker}\nThe plan is too long for a comment; the summary of the job shows it.\n"
    own = comments.of(author, marker)
    if not own:
        if unchanged:
            return "Nothing changes, and there is no comment"
        comments.add(body)
        return "The comment is there"
    first, *others = own
    comments.change(first, body)
    for each in others:  # of concurrent runs, each of which created one
        comments.remove(each)
    return "The comment is up to date"


def number(given: str, event: Path) -> str:
    """The number of the pull request; empty if there is none."""
    if not given:
        told = json.loads(event.read_text(encoding="utf-8"))
        given = str((told.get("pull_request") or {}).get("number") or "")
    return given


def main() -> None:
    around = os.environ
    key = around["COMMENT_KEY"]
    if not _KEY.fullmatch(key):
        sys.exit("comment-key: give up to 50 letters, digits, '.', '_' and '-'")
    pull_request = number(around["PULL_REQUEST"], Path(around["GITHUB_EVENT_PATH"]))
    if not pull_request:
        sys.stdout.write("::warning title=ColdSend plan::No comment: this run is of no pull request\n")
        return
    if not re.fullmatch(r"[0-9]{1,10}", pull_request):
        sys.exit("pull-request: give the number of a pull request")
    comments = Comments(around["GITHUB_API_URL"], around["GITHUB_REPOSITORY"], pull_request, around["TOKEN"])
    text = Path(around["MARKDOWN"]).read_text(encoding="utf-8")
    try:
        done = keep(comments, around["COMMENT_AUTHOR"], key, text, unchanged=around["EXIT_CODE"] == UNCHANGED)
    except Refused as error:
        if error.code not in {403, 404}:
            sys.exit(str(error))
        done = (
            f"::warning title=ColdSend plan::No comment: {error}. The token needs pull-requests: write; runs of pull "
            "requests from forks do not have it"
        )
    except OSError as error:
        sys.exit(f"GitHub cannot be reached: {error}")
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    main()
