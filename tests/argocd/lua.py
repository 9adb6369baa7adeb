"""Runs a health script as Argo CD does: Lua 5.1 with the base of its library and nothing more."""

from dataclasses import dataclass
from typing import Any

from lupa import lua51

# argocd-cm scripts run without these unless `useOpenLibs` is set; gopher-lua has no debug library at all.
CLOSED = ("string", "math", "io", "debug", "coroutine")


@dataclass(frozen=True)
class Health:
    status: str
    message: str


def health(script: str, manifest: dict[str, Any]) -> Health:
    runtime = lua51.LuaRuntime(unpack_returned_tuples=True)
    runtime.execute("getmetatable('').__index = nil")
    closed = "; ".join(f"{name} = nil" for name in CLOSED)
    runtime.execute(f"{closed}; python = nil")
    runtime.globals().obj = runtime.table_from(manifest, recursive=True)
    answer = runtime.execute(script)
    return Health(answer.status, answer.message)
