"""Refusals: status codes and bodies."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Refusal(Exception):  # noqa: N818 -- a refusal is an answer of the API, not an error of the emulator
    status: int
    detail: str | list[dict[str, Any]] | dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)  # further fields of the body
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        return {"detail": self.detail, **self.extra}

    def sentence(self) -> str:
        """The reason as text, for a result row."""
        if isinstance(self.detail, str):
            return self.detail
        if isinstance(self.detail, dict):
            return str(self.detail.get("message", "Refused"))
        return "; ".join(str(problem["msg"]) for problem in self.detail)


def inbox_not_found() -> Refusal:
    return Refusal(404, "Sender account not found")


def domain_not_found() -> Refusal:
    return Refusal(404, "Domain not found")


def job_not_found() -> Refusal:
    return Refusal(404, "Job not found")


def unauthorized() -> Refusal:
    return Refusal(401, "Invalid or missing API key")


def forbidden(required: list[str], granted: list[str]) -> Refusal:
    return Refusal(
        403,
        "Insufficient permissions for this operation",
        {"error": "insufficient_scopes", "required": required, "granted": granted},
    )
