"""Completions of a command line, derived from the signatures of the commands."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args, get_origin

import typer
from typer.models import ArgumentInfo

from coldsend_operator.tools.options import LIST, command_first, spellings

Words = Sequence[str]
ANYTHING, NO_FILES = 0, 4  # directives, as kubectl and cobra count them
_FILES = frozenset({"FILE", "FILE.zip", "DIR"})


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion."""

    word: str
    help: str = ""

    def __str__(self) -> str:
        about = self.help.partition(". ")[0].strip().rstrip(".")
        return f"{self.word}\t{about}" if about else self.word


@dataclass(frozen=True, slots=True)
class Parameter:
    """An option or an argument of a command."""

    name: str
    spellings: tuple[str, ...]
    help: str
    takes_value: bool
    words: tuple[str, ...]  # the only ones it takes; none: any
    is_list: bool  # of words with commas between them
    is_file: bool
    repeated: bool

    @property
    def is_argument(self) -> bool:
        return not self.spellings


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The command line up to the word to complete."""

    command: str
    given: Mapping[str, str] = field(default_factory=dict)  # values of options by the name of their parameter
    arguments: int = 0


Lookup = Callable[[CommandLine, Parameter], Sequence[str]]
"""Names of the cluster that fit here; none if the cluster is not available."""


def candidates(app: typer.Typer, words: Words, lookup: Lookup) -> tuple[list[Completion], int]:
    """Completions of the last word, which may be empty, and the directive for the shell."""
    commands = {name: (help_, parameters) for name, help_, parameters in _commands(app)}
    options = [each for _, parameters in commands.values() for each in parameters]
    with_value = {spelling for each in options if each.takes_value for spelling in each.spellings}
    before, last = command_first(words[:-1], with_value), words[-1] if words else ""
    if not before or before[0].startswith("-"):
        line, pending = _read("", before, options)
        if pending is not None:
            return _values(line, pending, last, lookup)
        found = [Completion(name, help_) for name, (help_, _) in commands.items() if name.startswith(last)]
        return found, NO_FILES
    if before[0] not in commands:
        return [], NO_FILES
    _, parameters = commands[before[0]]
    line, pending = _read(before[0], before[1:], parameters)
    if pending is not None:
        return _values(line, pending, last, lookup)
    spelled, equals, value = last.partition("=")
    if equals and (option := next((each for each in parameters if spelled in each.spellings), None)) is not None:
        return _values(line, option, value, lookup)  # without the option, as kubectl's scripts expect it
    if last.startswith("-"):
        return list(_options(parameters, line, last)), NO_FILES
    arguments = [each for each in parameters if each.is_argument]
    if not arguments or (line.arguments >= len(arguments) and not arguments[-1].repeated):
        return [], NO_FILES
    return _values(line, arguments[min(line.arguments, len(arguments) - 1)], last, lookup)


def _values(line: CommandLine, parameter: Parameter, last: str, lookup: Lookup) -> tuple[list[Completion], int]:
    if parameter.is_file:
        return [], ANYTHING
    *done, part = last.split(",") if parameter.is_list else [last]
    begin = "".join(f"{each}," for each in done)
    known = parameter.words or tuple(lookup(line, parameter))
    return [Completion(begin + word) for word in known if word.startswith(part) and word not in done], NO_FILES


def _options(parameters: Sequence[Parameter], line: CommandLine, last: str) -> Iterator[Completion]:
    for parameter in parameters:
        if parameter.name in line.given and not parameter.repeated:
            continue
        for spelling in parameter.spellings:
            if spelling.startswith(last) and (last.startswith("--") or not spelling.startswith("--") or last == "-"):
                yield Completion(spelling, parameter.help)
    if "--help".startswith(last):
        yield Completion("--help", "Show what the command does and takes.")


def _read(command: str, words: Words, parameters: Sequence[Parameter]) -> tuple[CommandLine, Parameter | None]:
    """Parse the given words; returns the option whose value comes next."""
    by_spelling = {spelling: each for each in parameters for spelling in each.spellings}
    given: dict[str, str] = {}
    arguments = 0
    pending: Parameter | None = None
    for word in words:
        if pending is not None:
            given[pending.name], pending = word, None
            continue
        spelled, equals, value = word.partition("=")
        option = by_spelling.get(spelled)
        if option is None:
            arguments += not word.startswith("-")
        elif equals or not option.takes_value:
            given[option.name] = value
        else:
            pending = option
    return CommandLine(command, given, arguments), pending


def _commands(app: typer.Typer) -> Iterator[tuple[str, str, list[Parameter]]]:
    for info in app.registered_commands:
        if info.callback is not None:
            parameters = [_parameter(each) for each in inspect.signature(info.callback).parameters.values()]
            name = info.name or info.callback.__name__
            yield name, (inspect.getdoc(info.callback) or "").partition("\n")[0], parameters


def _parameter(parameter: inspect.Parameter) -> Parameter:
    kind, info = get_args(parameter.annotation)[:2]
    parts = (kind, *get_args(kind))
    spelled = spellings(info)
    if not spelled and not isinstance(info, ArgumentInfo):
        spelled = (f"--{parameter.name.replace('_', '-')}",)
    return Parameter(
        name=parameter.name,
        spellings=spelled,
        help=info.help or "",
        takes_value=kind is not bool,
        words=tuple(str(word) for part in parts if get_origin(part) is Literal for word in get_args(part))
        or _alternatives(info.metavar or ""),
        is_list=(info.metavar or "").endswith(LIST),
        is_file=Path in parts or info.metavar in _FILES or parameter.name in {"file", "files"},
        repeated=any(get_origin(part) is list for part in parts) or any(part is list for part in parts),
    )


def _alternatives(metavar: str) -> tuple[str, ...]:
    """The words of `a|b|key=VALUE` that can be typed as they are."""
    words = metavar.removesuffix(LIST).split("|")
    return tuple(word for word in words if word == word.lower()) if len(words) > 1 else ()


def text(found: Sequence[Completion], directive: int) -> str:
    """The output for a shell: one completion per line, its help after a tab, and the directive."""
    lines = [" ".join(str(each).split("\n")) for each in found]
    return "".join(f"{line}\n" for line in [*lines, f":{directive}"])
