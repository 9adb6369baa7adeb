"""Stable pseudonyms for addresses, domains and names derived from them. Pure.

The same address has the same pseudonym everywhere, and in every bundle of one cluster. It is a keyed digest: without
the key nobody can test a guess.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from coldsend_operator.accounts.effective import IMAP_HOSTS, SMTP_HOSTS
from coldsend_operator.log_masks import masked_text
from coldsend_operator.resources.names import ACCOUNT_KIND, API_KEY_KEY, BATCH_LABEL, PASSWORD_KEY
from coldsend_operator.tools.names import label, password_key

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Raw = Mapping[str, Any]

_LENGTH = 8
_LOCAL = r"[^\s@<>()\[\],;:\\\"`|=/%]"
_ADDRESS = re.compile(rf"('?)({_LOCAL}{{1,64}})(@|%40)([\w-]{{1,63}}(?:\.[\w-]{{1,63}})+)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_%+](?:[A-Za-z0-9._%+-]*[A-Za-z0-9_%+])?")
_PAIR = re.compile(r"([a-z0-9-]+)/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)")
_CHILD = re.compile(r"(.+)-[a-z2-7]{10}")  # as children of batches are called
_SAID_NAME = re.compile(r"((?:displayName is|the spec says) )(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")
_SAID_USER = re.compile(r"(:\d+ as |:\d+, username )(.+?)(?= with key |, use(?:TLS|SSL) )")
_QUOTED = re.compile(r"(SenderAccount |[\"'])([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)\b")
_METRIC_LABEL = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')
_PROVIDERS = frozenset({*SMTP_HOSTS.values(), *IMAP_HOSTS.values()})
_KEYS = frozenset({PASSWORD_KEY, API_KEY_KEY})
_MAX_DOMAINS = 2_000  # whose forms in names are looked for within other words


class Pseudonyms:
    """First learns names from objects, then replaces them."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._words: dict[str, str] = {}  # replaced wherever they stand alone, lower case
        self._names: set[str] = set()  # of SenderAccounts
        self._kept: set[str] = set()  # names of other objects
        self._domains: set[str] = set()
        self._odd: list[str] = []  # patterns of addresses that are not seen to be such in a sentence
        self._labels: re.Pattern[str] | None = None  # domains as parts of names

    # -- learning

    def learn(
        self, accounts: Iterable[Mapping[str, Any]], batches: Iterable[Mapping[str, Any]], kept: Iterable[str]
    ) -> None:
        """Learn from the objects; `kept` are names of other objects that stay."""
        self._kept.update(kept)
        for raw in batches:
            self._kept.add(str(raw["metadata"]["name"]))
            self._learn_values(raw.get("spec"))
            self._learn_values(raw.get("status"))
        seen = list(accounts)
        for raw in seen:
            self._learn_values(raw.get("spec"))
            self._learn_values(raw.get("status"))
        self._close_domains()
        for raw in seen:
            metadata = raw["metadata"]
            self.learn_name(str(metadata["name"]), child=BATCH_LABEL in (metadata.get("labels") or {}))

    def learn_name(self, name: str, *, child: bool = False) -> None:
        """The name of a SenderAccount: a plain word is replaced only where it is surely meant."""
        if name in self._kept:
            return
        self._names.add(name)
        if child or not name.isalpha():
            self._words.setdefault(name.lower(), self._of_name(name))

    def _learn_values(self, value: Any, field: str = "") -> None:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                self._learn_values(inner, str(name))
            if field == "domains" and isinstance(value.get("name"), str):
                self._learn_domain(value["name"])
        elif isinstance(value, list):
            for inner in value:
                self._learn_values(inner, field)
        elif isinstance(value, str):
            self._learn_text(value, field)

    def _learn_text(self, value: str, field: str) -> None:
        if field == "emailAddress" and "@" in value:
            local, _, domain = value.rpartition("@")
            self._words[password_key(value)] = f"key-{self._digest(value.lower())}"
            self._learn_local(local)
            self._learn_domain(domain)
            if value.startswith("'") or not _ADDRESS.fullmatch(value):
                self._odd.append(re.escape(value))
        elif field == "emailPrefix":
            self._learn_local(value)
        elif field == "username" and not ("@" in value or value.isalpha()):
            self._words.setdefault(value.lower(), self._user(value))
        elif field in {"domainName", "domain"}:
            self._learn_domain(value)

    def _learn_local(self, local: str) -> None:
        if not local.isalpha():  # a plain word may stand for anything
            self._words.setdefault(local.lower(), self._local(local))

    def _learn_domain(self, domain: str) -> None:
        domain = domain.lower().strip(".")
        if "." in domain:
            self._domains.add(domain)

    def _close_domains(self) -> None:
        forms = sorted({label(domain) for domain in self._domains}, key=len, reverse=True)[:_MAX_DOMAINS]
        if forms:
            self._labels = re.compile(rf"(?:^|-)(?:{'|'.join(map(re.escape, forms))})(?:-|$)")

    # -- replacing

    def value(self, value: Any, field: str = "", within: str = "") -> Any:
        """A value of JSON; `field` is the name it stands under, `within` that of the object around."""
        if isinstance(value, Mapping):
            return {
                self.text(str(name)): self.value(inner, str(name), field)
                for name, inner in value.items()
                if name != LAST_APPLIED  # the whole object once more, as text
            }
        if isinstance(value, list):
            return [self.value(inner, field, within) for inner in value]
        return self._string(value, field, within) if isinstance(value, str) else value

    def _string(self, value: str, field: str, within: str) -> str:
        match field:
            case "displayName":
                return f"name-{self._digest(value)}"
            case "emailPrefix":
                return self._local(value)
            case "username" if "@" not in value:
                return self._user(value)
            case "passwordKey" | "key" if value not in _KEYS and (
                field == "passwordKey" or within == "passwordSecretRef"
            ):
                return self._words.setdefault(value.lower(), f"key-{self._digest(value)}")
            case "name" if value in self._names:
                return self._of_name(value)
        return self.text(value)

    def object_name(self, name: str) -> str:
        """A name that is that of a SenderAccount, unless it is known to be another object's."""
        return self.text(name) if name in self._kept else self._of_name(name)

    def text(self, text: str) -> str:
        """Replace in free text."""
        text = masked_text(text)
        if self._odd and "@" in text:
            text = re.sub("|".join(self._odd), lambda found: self._whole(found[0]), text, flags=re.IGNORECASE)
        text = _SAID_USER.sub(lambda found: f"{found[1]}{self._string(found[2], 'username', '')}", text)
        text = _ADDRESS.sub(self._address, text)
        text = _SAID_NAME.sub(r"\1(not shown)", text)
        text = _PAIR.sub(lambda found: f"{found[1]}/{self._meant(found[2])}", text)
        text = _QUOTED.sub(lambda found: f"{found[1]}{self._meant(found[2])}", text)
        return _TOKEN.sub(lambda found: self._token(found[0]), text)

    def log(self, text: str) -> str:
        """Replace in lines of a log; JSON lines are parsed."""
        return "".join(f"{self._line(line)}\n" for line in text.splitlines())

    def _line(self, line: str) -> str:
        stamp, brace, rest = line.partition("{")
        try:
            entry = json.loads(brace + rest)
        except ValueError:
            return self.text(line)
        if not isinstance(entry, dict):
            return self.text(line)
        name = entry.pop("name", None)
        told = self.value(entry)
        if isinstance(name, str):
            told["name"] = self.object_name(name)
        return stamp + json.dumps(told, ensure_ascii=False)

    def metrics(self, text: str) -> str:
        """The text form of Prometheus."""

        def one(found: re.Match[str]) -> str:
            said = self.object_name(found[2]) if found[1] == "name" else self.text(found[2])
            return f'{found[1]}="{said}"'

        return "".join(
            f"{line if line.startswith('#') else _METRIC_LABEL.sub(one, line)}\n" for line in text.splitlines()
        )

    def event(self, raw: Mapping[str, Any]) -> Any:
        """An Event, which is named after its object."""
        about = raw.get("regarding") or {}
        name = str(about.get("name") or "")
        if about.get("kind") == ACCOUNT_KIND and name:
            self.learn_name(name)
        told = self.value(raw)
        if name in self._names:
            own = str(raw["metadata"]["name"])
            told["metadata"]["name"] = f"{self._of_name(name)}{own[len(name) :]}" if own.startswith(name) else "event"
        return told

    # -- pseudonyms

    def _address(self, found: re.Match[str]) -> str:
        return f"{found[1]}{self._local(found[2])}{found[3]}{self._of_domain(found[4])}"

    def _whole(self, address: str) -> str:
        local, _, domain = address.rpartition("@")
        return f"{self._local(local)}@{self._of_domain(domain)}"

    def _meant(self, name: str) -> str:
        return self._of_name(name) if name in self._names else name

    def _token(self, word: str) -> str:
        lower = word.lower()
        known = self._words.get(lower)
        if known is not None:
            return known
        if word in self._kept and not self._named_after_a_domain(lower):
            return word
        head, dot, tail = word.partition(".")
        if dot and head.lower() in self._words:  # an Event of an object
            return f"{self._words[head.lower()]}.{tail}"
        if lower in _PROVIDERS:
            return word
        domain = self._below_domain(lower)
        if domain is not None:
            return domain
        if _CHILD.fullmatch(lower) or self._named_after_a_domain(lower):
            return self._of_name(word)
        return word

    def _named_after_a_domain(self, word: str) -> bool:
        return self._labels is not None and self._labels.search(word) is not None

    def _local(self, local: str) -> str:
        return f"inbox-{self._digest(local.lower())}"

    def _user(self, username: str) -> str:
        return f"user-{self._digest(username)}"

    def _below_domain(self, word: str) -> str | None:
        """A domain that is known, or a host below it."""
        rest = word
        while "." in rest:
            if rest in self._domains:
                return f"{word[: len(word) - len(rest)]}{self._of_domain(rest)}"
            rest = rest.partition(".")[2]
        return None

    def _of_domain(self, domain: str) -> str:
        return f"domain-{self._digest(domain.lower().rstrip('.'))}.example"

    def _of_name(self, name: str) -> str:
        return f"object-{self._digest(name)}"

    def _digest(self, text: str) -> str:
        digest = hmac.new(self._key, text.encode(errors="replace"), hashlib.sha256).digest()
        return digest.hex()[:_LENGTH]
