"""The command line: start the emulator."""

import atexit
import gc
from typing import Annotated

import typer

from coldsend_emulator.limits import Limits
from coldsend_emulator.operations import EVERYTHING
from coldsend_emulator.server import listen, serve
from coldsend_emulator.world import World

DEFAULT_WORKSPACE = "default"
DEFAULT_CAPACITY = 1000

atexit.register(gc.freeze)  # no search for garbage in all modules when the process ends

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def run(
    *,
    api_key: Annotated[
        list[str], typer.Option(help="KEY or KEY=WORKSPACE, for keys that share a workspace. Repeatable.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; empty: all interfaces.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: a free one.")] = 8580,
    domain: Annotated[
        list[str] | None,
        typer.Option(help="NAME or NAME=CAPACITY of an ACTIVE domain in the first key's workspace. Repeatable."),
    ] = None,
    per_minute: Annotated[int, typer.Option(min=0, help="Requests per minute; 0: no limit.")] = 100,
    per_hour: Annotated[int, typer.Option(min=0, help="Requests per hour; 0: no limit.")] = 1000,
    switch: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of a switch (see README). Repeatable.")] = None,
    until_stdin_closes: Annotated[bool, typer.Option(help="End when standard input closes.")] = False,
) -> None:
    """Serve the ColdSend API for demos and tests."""
    world = World()
    world.limiter.set(Limits(per_minute or None, per_hour or None))
    first = _add_keys(world, api_key)
    for text in domain or []:
        name, capacity = _split(text, str(DEFAULT_CAPACITY))
        if not capacity.isdigit():
            raise typer.BadParameter(f"{text!r}: the capacity must be a number", param_hint="--domain")
        world.add_domain(first, name, "ACTIVE", int(capacity))
    for text in switch or []:
        try:
            world.switches.set(*_split(text, ""))
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--switch") from None
    try:
        listener = listen(host, port)
    except OSError as error:
        typer.echo(f"cannot listen on {host}:{port}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    reached = host or "localhost"
    url = f"http://{f'[{reached}]' if ':' in reached else reached}:{listener.getsockname()[1]}"
    serve(world, listener, lambda: typer.echo(f"listening on {url}"), until_stdin_closes=until_stdin_closes)


def _add_keys(world: World, texts: list[str]) -> str:
    """Add all keys, by default each with its own workspace. Returns the first key's workspace."""
    workspaces = []
    for number, text in enumerate(texts, start=1):
        key, workspace = _split(text, DEFAULT_WORKSPACE if number == 1 else f"workspace-{number}")
        world.keys.add(key, workspace, (EVERYTHING,))
        workspaces.append(workspace)
    return workspaces[0]


def _split(text: str, default: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value or default


def main() -> None:
    app()


if __name__ == "__main__":
    main()
