"""The command line. Each command imports what it needs, so that `version` and usage errors are fast."""

import atexit
import gc
import inspect
import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO

import typer
from typer.core import TyperGroup

from coldsend_operator import __version__
from coldsend_operator.setting_texts import default_text, flag, variable
from coldsend_operator.settings import SettingError, Settings, load_settings, notices
from coldsend_operator.tools.app import register
from coldsend_operator.tools.options import command_first


class _Commands(TyperGroup):
    """The program, which takes `-n=sales`, and options before the command, as kubectl does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        split = [part for arg in args for part in (arg.split("=", 1) if _SHORT.match(arg) else (arg,))]
        options = (each for command in self.commands.values() for each in command.params)
        with_value = {spelled for each in options if not getattr(each, "is_flag", False) for spelled in each.opts}
        return super().parse_args(ctx, command_first(split, with_value))


_SHORT = re.compile(r"-[A-Za-z]=")

# When the process ends, Python collects garbage in all modules: a fifth of the time that a short command takes.
atexit.register(gc.freeze)
# Modules leave no garbage as they load, but Python looks for it all the time: a tenth of each start of the program.
_THRESHOLD, _WHILE_LOADING = gc.get_threshold(), 1_000_000

app = typer.Typer(
    cls=_Commands,
    help="Manages e-mail sender inboxes of ColdSend as Kubernetes objects.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # errors are one sentence on one line, also in logs and on narrow terminals
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    pretty_exceptions_enable=False,  # they would show local variables, and with them passwords
)


def _with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command one flag for each setting; typer reads them from its signature."""
    flags = []
    for name, field in Settings.model_fields.items():
        if spelled := flag(name):
            words = f"{field.description} {variable(name)}, default: {default_text(field)}"
            option = typer.Option(spelled, help=words, show_default=False)
            kind = Annotated[str | None, option]
            flags.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    command.__signature__ = inspect.Signature(flags)  # type: ignore[attr-defined] # functions carry it, mypy forgot
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in flags}
    return command


@app.command()
@_with_flags
def run(**flags: Any) -> None:
    """Run the operator until SIGTERM or SIGINT. Each flag has an environment variable; flags win."""
    try:
        settings = load_settings(flags)
    except SettingError as error:
        _fail(*error.lines, code=2)
    from coldsend_operator.handlers import serve
    from coldsend_operator.kube.errors import KubeError
    from coldsend_operator.logs import Event, configure_logs, log, one_line

    gc.freeze()  # the modules stay: no collection needs to look at them again
    gc.set_threshold(*_THRESHOLD)
    configure_logs(settings.log_format, settings.log_level)
    for notice in notices(settings, os.environ):
        log.warning(Event.SETTING_NOTICE, message=notice)
    try:
        serve(settings)
    except (KubeError, OSError) as error:  # no cluster or a port in use: the message suffices
        log.error(Event.FAILED, message=one_line(error))
        raise typer.Exit(1) from None
    except Exception as error:  # noqa: BLE001 - nothing is above it: the log says why the process ends
        log.error(Event.FAILED, message=one_line(error), exc_info=error)
        raise typer.Exit(1) from None


@app.command()
def crds(
    check: Annotated[
        Path | None, typer.Option(help="Fail if the files of this folder differ.", show_default=False)
    ] = None,
) -> None:
    """Print the custom resource definitions."""
    from coldsend_operator.resources import crd

    if check is None:
        sys.stdout.write(crd.render_crds())
        return
    if not check.is_dir():
        _fail(f"--check {check}: no such folder", code=2)
    differences = crd.check(check)
    if differences:
        _fail(*differences)


@app.command()
def version() -> None:
    """Print the versions of the operator and its parts."""
    from coldsend_operator.build import commit

    for name, value in (
        ("coldsend-operator", __version__),
        ("commit", commit()),
        ("python", platform.python_version()),
        ("kopf", metadata.version("kopf")),
    ):
        sys.stdout.write(f"{name} {value}\n")


register(app)


def complete(words: Sequence[str] | None = None) -> None:
    """Print completions for shells; kubectl runs it as `kubectl_complete-coldsend WORDS...`."""
    from coldsend_operator.tools.completion.engine import CommandLine, Parameter, candidates, text

    def lookup(line: CommandLine, parameter: Parameter) -> Sequence[str]:
        from coldsend_operator.tools.completion.cluster import names

        return names(line, parameter)

    given = ["" if word == '""' else word for word in (sys.argv[1:] if words is None else words)]
    with suppress(BrokenPipeError):  # the shell has gone on
        sys.stdout.write(text(*candidates(app, given, lookup)))
    _write_out()


def _fail(*lines: str, code: int = 1) -> NoReturn:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    raise typer.Exit(code)


def _open_streams() -> None:
    """Whoever starts the program may have closed a stream: Python has None there, and files would take its place."""
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - as long as the process lives
    if sys.stdout is None:
        _fail_at_once("standard output is closed")
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - likewise


def _fail_at_once(what: str) -> NoReturn:
    if sys.stderr is not None:
        sys.stderr.write(f"coldsend-operator failed: {what}\n")
    sys.stdout = None  # at its end Python would try again to write what is left
    sys.exit(1)


def _write_out() -> None:
    """Write what the streams hold back: Python would do it after all else, and fail in its own words with code 120."""
    if not _is_written(sys.stdout):
        sys.stdout = None
    if not _is_written(sys.stderr):
        sys.stderr = None


def _is_written(stream: TextIO) -> bool:
    """False if nobody reads it any more, as in `... | head`."""
    try:
        if not stream.closed:
            stream.flush()
    except BrokenPipeError:
        return False
    return True


def main() -> None:
    gc.set_threshold(_WHILE_LOADING)
    _open_streams()
    if sys.argv[1:2] == ["__complete"]:
        complete(sys.argv[2:])
        return
    try:
        try:
            app(prog_name="kubectl coldsend" if Path(sys.argv[0]).stem == "kubectl-coldsend" else "coldsend-operator")
        finally:
            _write_out()
    except OSError as error:  # such as a full disk under standard output
        _fail_at_once(str(error))
    except Exception as error:  # noqa: BLE001 - nothing is above it: the last line says what happened
        from coldsend_operator.logs import one_line, traceback_text

        sys.stderr.write(f"{traceback_text(error)}\n\ncoldsend-operator failed: {one_line(error)}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
