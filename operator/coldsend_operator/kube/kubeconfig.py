"""Kubeconfig files, merged as kubectl does: the first file that has an entry or the current context wins."""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from coldsend_operator.kube.errors import NotConfigured

_FILES = {"clusters": ("certificate-authority",), "users": ("client-certificate", "client-key", "tokenFile")}
_REMOVED_PROVIDERS = frozenset({"azure", "gcp"})  # kubectl 1.26 refuses them


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The merged files of `paths`. Paths of files in it are absolute, so that the result does not depend on them."""

    paths: str
    entries: Mapping[str, Mapping[str, Mapping[str, Any]]]  # section, name
    current: str

    def context(self, name: str = "") -> Mapping[str, Any]:
        """The context of this name, or the current one. Raises NotConfigured."""
        chosen = name or self.current
        if not chosen:
            raise NotConfigured(f"the kubeconfig {self.paths} has no current context; see kubectl config use-context")
        if chosen not in self.entries["contexts"]:
            raise NotConfigured(f"the kubeconfig {self.paths} has no context {chosen}; see kubectl config get-contexts")
        return self.entries["contexts"][chosen]

    def cluster(self, context: str = "") -> Mapping[str, Any]:
        """Raises NotConfigured."""
        name = _text(self.context(context).get("cluster"))
        cluster = self.entries["clusters"].get(name)
        if cluster is None or not cluster.get("server"):
            raise NotConfigured(f"the kubeconfig {self.paths} cannot be used: it has no server for cluster {name}")
        return cluster

    def user(self, context: str = "") -> Mapping[str, Any]:
        """The credentials of a context; empty if it names none. Raises NotConfigured."""
        user = self.entries["users"].get(_text(self.context(context).get("user")), {})
        provider = user.get("auth-provider")
        if isinstance(provider, dict) and provider.get("name") in _REMOVED_PROVIDERS:
            raise NotConfigured(
                f"the kubeconfig {self.paths} cannot be used: Kubernetes has removed the auth-provider "
                f"{provider['name']}; let the tool of your cloud write the user again, with an exec plugin"
            )
        return user

    def to_raw(self, context: str = "") -> dict[str, Any]:
        """A kubeconfig with this context alone."""
        return {
            "clusters": [{"name": "it", "cluster": dict(self.cluster(context))}],
            "users": [{"name": "it", "user": dict(self.user(context))}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "current-context": "it",
        }


def read_kubeconfig(named: str = "") -> Kubeconfig:
    """Read the named file, else those of KUBECONFIG, else the usual one.

    Raises NotConfigured with one sentence, which quotes no content, if there is none or one cannot be read.
    """
    paths = named or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    files = [Path(path).expanduser().absolute() for path in paths.split(os.pathsep) if path]
    files = [file for file in files if file.is_file()]
    if not files:
        raise NotConfigured(f"no access to a cluster: there is neither a service account nor the file {paths}")
    read = [_read(file) for file in files]
    entries: dict[str, dict[str, Mapping[str, Any]]] = {"clusters": {}, "users": {}, "contexts": {}}
    for file, content in zip(files, read, strict=True):
        for section, found in entries.items():
            for name, entry in _entries(content, section):
                found.setdefault(name, _resolved(entry, section, file.parent))
    current = next(filter(None, (_text(content.get("current-context")) for content in read)), "")
    return Kubeconfig(paths, entries, current)


def impersonation(user: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The headers for `as`, `as-groups`, `as-uid` and `as-user-extra`; none without `as`, as in kubectl."""
    name = _text(user.get("as"))
    if not name:
        return ()
    headers = [("Impersonate-User", name)]
    headers += [("Impersonate-Uid", _text(user["as-uid"]))] if user.get("as-uid") else []
    headers += [("Impersonate-Group", _text(group)) for group in user.get("as-groups") or ()]
    for key, values in (user.get("as-user-extra") or {}).items():
        headers += [(f"Impersonate-Extra-{key}", _text(value)) for value in values or ()]
    return tuple(headers)


def without_credentials(user: Mapping[str, Any], said: str = "") -> str:
    """What to say when the plugin of a user gave no credentials; `said`: the last line of its output."""
    plugin = user["exec"]
    command, hint = _text(plugin.get("command")), _text(plugin.get("installHint"))
    if not shutil.which(command):
        return f"the plugin {command} is not installed" + (f": {hint}" if hint else "")
    told = f" ({said})" if said else ""
    return f"the plugin {command} gave no credentials{told}; log in with it, and try again"


def _read(file: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        trouble = error.strerror or type(error).__name__
    except (yaml.YAMLError, ValueError) as error:  # not chained: it may quote a token
        trouble = type(error).__name__
    else:
        if isinstance(content, dict | None):
            return content or {}  # an empty file is one without entries
        trouble = "it is not a mapping"
    raise NotConfigured(f"the kubeconfig {file} cannot be used: {trouble}")


def _entries(content: Mapping[str, Any], section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    found = content.get(section)
    for each in found if isinstance(found, list) else ():
        if isinstance(each, dict) and each.get("name") is not None:
            entry = each.get(section.removesuffix("s"))
            yield _text(each["name"]), dict(entry) if isinstance(entry, dict) else {}


def _resolved(entry: dict[str, Any], section: str, folder: Path) -> Mapping[str, Any]:
    """Paths are relative to the file that has them; data goes before a file, a token file before a token."""
    for key in _FILES.get(section, ()):
        if entry.get(f"{key}-data"):
            entry.pop(key, None)
        elif entry.get(key):
            entry[key] = str(folder / _text(entry[key]))
    if entry.get("tokenFile"):
        entry.pop("token", None)
    plugin = entry.get("exec")
    if isinstance(plugin, dict) and os.sep in _text(plugin.get("command")):
        entry["exec"] = {**plugin, "command": str(folder / _text(plugin["command"]))}
    return entry


def _text(value: object) -> str:
    return "" if value is None else str(value)
