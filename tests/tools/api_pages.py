"""An API server of fixed pages over real HTTP, for what a real one cannot show: pods, logs, missing permissions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.http_server import Request, Response, serving


@contextmanager
def api_server(
    pages: dict[str, Any], config: Path, written: list[str] | None = None, *, missing: int = 403
) -> Iterator[list[str]]:
    """Serve these pages to the kubeconfig `config`; yields the requested paths.

    A page that is not there is answered by `missing`. Nothing is ever written: `written` collects method and path of
    such requests, and each access review says no.
    """
    asked: list[str] = []

    def answer(request: Request) -> Response:
        if request.method != "GET":
            if written is not None:
                written.append(f"{request.method} {request.path}")
            return Response(201 if "accessreviews" in request.target else 403, {"status": {"allowed": False}})
        asked.append(request.path)
        found = pages.get(request.path) if "previous" not in request.target else None
        if found:
            return Response(200, found)
        group = "events.events.k8s.io" if "/events" in request.path else "it"
        reason = {403: "Forbidden", 404: "NotFound"}[missing]
        refusal = {"kind": "Status", "code": missing, "reason": reason, "message": f"{group} is forbidden"}
        return Response(missing, refusal)

    with serving(answer) as url:
        write_kubeconfig(config, url)
        yield asked


def write_kubeconfig(config: Path, url: str, **credentials: Any) -> None:
    """A kubeconfig for this API server."""
    named = {"name": "it", "cluster": {"server": url}}
    context = {"name": "it", "context": {"cluster": "it", "user": "it"}}
    user = {"name": "it", "user": credentials}
    whole = {"current-context": "it", "clusters": [named], "contexts": [context], "users": [user]}
    config.write_text(json.dumps(whole), encoding="utf-8")
