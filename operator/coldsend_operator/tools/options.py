"""Options that several commands share. A parameter of a group type below stands for all options of the group."""

import functools
import inspect
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

LIST = ",..."  # at the end of the metavar of an option that takes several values

Namespace = Annotated[str, typer.Option("-n", "--namespace", metavar="NAME", help="Namespace of the objects.")]
OwnNamespace = Annotated[
    str, typer.Option("-n", "--namespace", metavar="NAME", help="Namespace. Default: that of the context.")
]
OnlyNamespace = Annotated[
    str,
    typer.Option(
        "-n", "--namespace", metavar="NAME", help="Only objects of this namespace. Default: that of the context."
    ),
]
AllNamespaces = Annotated[bool, typer.Option("-A", "--all-namespaces", help="Objects of all namespaces.")]
Color = Annotated[Literal["auto", "always", "never"], typer.Option("--color", help="Whether to color tables.")]
TableOrJson = Annotated[Literal["table", "json"], typer.Option("-o", "--output", help="Output format.")]
Live = Annotated[bool, typer.Option("--live", help="Ask ColdSend for its list instead of reading status only.")]
Files = typer.Option(
    "-f", "--filename", metavar="FILE|DIR|-", help="A file, a folder (recursive), or - for standard input."
)
Folder = Annotated[Path | None, typer.Option("-d", "--directory", metavar="DIR", help="Write files into this folder.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]
Timeout = Annotated[str, typer.Option("--timeout", metavar="TIME", help="Maximum time to wait, such as 90s, 5m or 1h.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


@dataclass(frozen=True, slots=True)
class Access:
    """Options for the access to the cluster and ColdSend; empty: the environment decides."""

    kubeconfig: Annotated[str, typer.Option("--kubeconfig", metavar="FILE", help="Path of the kubeconfig.")] = ""
    context: Annotated[str, typer.Option("--context", metavar="NAME", help="Context of the kubeconfig.")] = ""
    impersonate: Annotated[str, typer.Option("--as", metavar="USER", help="Impersonate this user.")] = ""
    groups: Annotated[
        list[str] | None,
        typer.Option("--as-group", metavar="GROUP", help="With --as: a group of this user; repeatable."),
    ] = None
    api_url: Annotated[
        str, typer.Option("--api-url", metavar="URL", help="Base URL of ColdSend. Default: COLDSEND_API_URL.")
    ] = ""
    api_key_file: Annotated[
        str, typer.Option("--api-key-file", metavar="FILE", help="File with the API key of ColdSend.")
    ] = ""
    api_key_secret: Annotated[
        str, typer.Option("--api-key-secret", metavar="NAME[/KEY]", help="Secret of the namespace with the API key.")
    ] = ""


AccessToCluster = Annotated[Access, "kubeconfig", "context", "impersonate", "groups"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The objects of an action, and whether it asks for confirmation."""

    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", help="sender/NAME, or senderbatch/NAME (not with reconcile, hand-over and test-email)."
        ),
    ] = None
    selector: Annotated[
        str, typer.Option("-l", "--selector", metavar="SELECTOR", help="SenderAccounts with these labels.")
    ] = ""
    everything: Annotated[bool, typer.Option("--all", help="All SenderAccounts of the namespace.")] = False
    yes: Yes = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the objects and change nothing.")] = False


def spellings(info: Any) -> tuple[str, ...]:
    """The names of an option, such as `-n` and `--namespace`; none if typer derives it from the parameter.

    In Annotated, typer takes the first name for the default.
    """
    return tuple(each for each in (info.default, *(info.param_decls or ())) if str(each).startswith("-"))


def command_first(words: Sequence[str], with_value: Container[str]) -> list[str]:
    """Options may come before the command, as in kubectl; `with_value` are those that take the next word."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in with_value else 1
    return [*words[at : at + 1], *words[:at], *words[at + 1 :]]


def unfolded(command: Callable[..., None]) -> Callable[..., None]:
    """The command for typer, with its groups expanded into options."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, tuple[type, list[str]]] = {}
    shown: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        group, *only = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        if is_dataclass(group) and isinstance(group, type):
            options = list(_options(group, only))
            groups[parameter.name] = group, [option.name for option in options]
            shown += options
        else:
            shown.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hint))

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for name, (group, options) in groups.items():
            given[name] = group(**{option: given.pop(option) for option in options})
        command(**given)

    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined] # functions carry it, mypy forgot
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return run


def _options(group: type, only: list[str]) -> Iterator[inspect.Parameter]:
    """The fields of a group as parameters; with `only` these alone."""
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        if not only or field.name in only:
            yield inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
            )
