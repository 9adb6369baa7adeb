"""Shared by the models of both kinds: camel case names, checked strings, rules, references to Secrets."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from coldsend_operator.resources import values

INITIALISMS = frozenset({"id", "tls", "ssl"})


def camel(name: str) -> str:
    """`domain_id` becomes `domainID`, as the Kubernetes API conventions spell initialisms."""
    first, *rest = name.split("_")
    return first + "".join(word.upper() if word in INITIALISMS else word.capitalize() for word in rest)


class Block(BaseModel):
    """Part of a custom resource. Unknown fields are ignored, as a newer CRD may have more."""

    model_config = ConfigDict(
        alias_generator=camel, validate_by_name=True, validate_by_alias=True, extra="ignore", frozen=True
    )

    def to_raw(self) -> dict[str, Any]:
        """The JSON of a manifest: names in camel case, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class InboxType(StrEnum):
    COLDSEND = "COLDSEND"
    GOOGLE_WORKSPACE = "GOOGLE_WORKSPACE"
    OUTLOOK_365 = "OUTLOOK_365"
    CUSTOM_SMTP = "CUSTOM_SMTP"


class AdoptionPolicy(StrEnum):
    REFUSE = "Refuse"
    ADOPT = "Adopt"


class DeletionPolicy(StrEnum):
    DELETE = "Delete"
    ORPHAN = "Orphan"


class UpdatePolicy(StrEnum):
    NEVER = "Never"
    RECREATE = "Recreate"


class ManagementPolicy(StrEnum):
    FULL = "Full"
    OBSERVE = "Observe"


ErrorReason = Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired"]


@dataclass(frozen=True)
class Rule:
    """One rule in both languages: CEL for the API server, Python for objects accepted by an older CRD.

    `holds` takes the model that the rule stands on. A rule that compares with the old object, or that the children of
    a batch check one by one, has no `holds`.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None
    field: str = ""
    reason: ErrorReason = "FieldValueInvalid"
    message_cel: str = ""  # CEL for the message; `message` is the fallback

    def to_schema(self) -> JsonDict:
        entry: JsonDict = {"rule": self.cel, "message": self.message}
        if self.message_cel:
            entry["messageExpression"] = self.message_cel
        if self.field:
            entry["fieldPath"] = f".{self.field}"
        if self.reason != "FieldValueInvalid":
            entry["reason"] = self.reason
        return entry


def validations(*rules: Rule) -> JsonDict:
    """The extension of OpenAPI under which the API server finds CEL rules."""
    return {"x-kubernetes-validations": [rule.to_schema() for rule in rules]}


class Check(ABC):
    """A check of a text, in Annotated of pydantic: CEL in the schema for the API server, and the same in Python."""

    @property
    @abstractmethod
    def rule(self) -> Rule:
        """The check for the API server."""

    @abstractmethod
    def fault_of(self, value: str) -> str:
        """What is wrong with the text, as the end of a sentence; empty if nothing is."""

    def __call__(self, value: str) -> str:
        fault = self.fault_of(value)
        if fault:
            raise PydanticCustomError("shape", "{message}", {"message": fault})
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        found.setdefault("x-kubernetes-validations", []).append(self.rule.to_schema())
        return found


@dataclass(frozen=True)
class Shape(Check):
    """A pattern with a readable message; `pattern` of OpenAPI would show users only the expression."""

    expression: str
    message: str

    def fault_of(self, value: str) -> str:
        # RE2 on the API server knows \s, \w and \d as ASCII; re.ASCII makes Python agree.
        return "" if re.fullmatch(self.expression, value, re.ASCII) else self.message

    @property
    def rule(self) -> Rule:
        return Rule(cel=f"self.matches(r'^{self.expression}$')", message=self.message)


@dataclass(frozen=True)
class Hidden(Check):
    """No invisible characters: `class_of_re2` for the API server, `fault` (the end of a sentence) in Python."""

    class_of_re2: str
    fault: Callable[[str], str]

    def fault_of(self, value: str) -> str:
        return self.fault(value)

    @property
    def rule(self) -> Rule:
        # Position and all code points are beyond the cost that the API server allows; the operator names both.
        names = "".join(f"self.contains('\\u{code}') ? ', U+{code}' : " for code in _OFTEN_HIDDEN)
        return Rule(
            cel=f"!self.matches(r'{self.class_of_re2}')",
            message="holds a character that nobody sees, such as U+FEFF, U+00A0 or U+200B; type it again without it",
            message_cel=f"'holds a character that nobody sees' + ({names}'') + '; type it again without it'",
        )


_OFTEN_HIDDEN = (
    *("FEFF", "00A0", "00AD", "200B", "200C", "200D", "200E", "200F", "202A", "202B", "202C", "202D", "202E", "202F"),
    *("2003", "2007", "2009", "2028", "2029", "2060", "2066", "2067", "2068", "2069"),
    *("3000", "3164", "0009", "000A", "000D"),
)


# Short on purpose: the API server multiplies the cost of a pattern by its length and by 5,000 inboxes.
LABEL = r"\w([\w-]{0,61}\w)?"
DNS_1123_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"

ADDRESS = Shape(
    rf"[^\x00- \x7f@<>()\[\],;:\x22\\]+@({LABEL}\.)+{LABEL}",
    "must be one plain e-mail address such as jane@company.com (one @, no spaces, no display name, the xn-- form of a "
    "domain that is not ASCII); correct it",
)
# In a batch a wrong address affects only its entry (rule 37), so the API server checks the rough shape only.
ROUGH_ADDRESS = Shape(
    r"[^\x00- \x22(),:-<>@[-\]\x7f]+@[^\x00-,/:-@[-^`{-\x7f]+\.[^.@ \n]+",
    "must be one plain e-mail address such as jane@company.com (one @, no spaces, no display name); correct it",
)
DOTS = Rule(cel="!self.startsWith('.') && !self.contains('..') && !self.contains('.@')", message=values.DOTS_FAULT)
HOST_NAME = Shape(
    rf"({LABEL}\.)*{LABEL}",
    "must be a host name such as smtp.company.com (at most 63 characters between dots); "
    "leave out scheme, port and spaces",
)
DOMAIN_NAME = Shape(
    rf"({LABEL}\.)+{LABEL}",
    "must be a domain name such as mail.company.com; leave out scheme, @ and spaces",
)
DOMAIN_ID = Shape(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "must be the UUID of a ColdSend domain such as 550e8400-e29b-41d4-a716-446655440000; to give a name use domainName",
)
PREFIX = Shape(
    r"[a-z0-9_-]+(\.[a-z0-9_-]+)*",
    "may hold lower case letters, digits, hyphen, underscore and single dots inside; "
    "write the part before the @ in that form",
)
SECRET_NAME = Shape(
    rf"{DNS_1123_LABEL}(\.{DNS_1123_LABEL})*",
    "must be the name of a Secret in the same namespace (lower case letters, digits, hyphens, dots); correct it",
)
SECRET_KEY = Shape(
    r"[-._a-zA-Z0-9]+",
    "must be a key of the Secret (letters, digits, hyphen, underscore, dot); correct it",
)
ONE_LINE = Shape(
    r"[^\x00-\x1f\x7f]*[^\x00- \x7f][^\x00-\x1f\x7f]*",
    "must be one line of text with at least one visible character; take line breaks and control characters out",
)

_BLANKS = "".join(rf"\x{{{ord(blank):x}}}" for blank in sorted(values.BLANKS))
HIDDEN_IN_ADDRESS = Hidden(
    r"[\pC\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}" + _BLANKS + "]",
    values.address_fault,
)
HIDDEN_IN_NAME = Hidden(
    r"[\p{Cc}\x{a0}\x{ad}\x{61c}\x{180e}\x{200b}\x{200e}\x{200f}\x{2028}-\x{202f}\x{2060}-\x{206f}\x{feff}"
    + _BLANKS
    + "]",
    lambda name: values.unseen_fault(name, joiners=True),
)
HIDDEN_IN_LOGIN = Hidden(r"[\pC\x{a0}\x{2007}\x{2028}\x{2029}\x{202f}" + _BLANKS + "]", values.unseen_fault)

EmailAddress = Annotated[
    str,
    Field(min_length=5, max_length=255, json_schema_extra=validations(HIDDEN_IN_ADDRESS.rule, DOTS, ADDRESS.rule)),
    AfterValidator(HIDDEN_IN_ADDRESS),
    AfterValidator(ADDRESS),
]
ListedAddress = Annotated[str, Field(min_length=5, max_length=255), ROUGH_ADDRESS]
EmailPrefix = Annotated[str, Field(min_length=1, max_length=64), PREFIX]
DisplayName = Annotated[str, Field(min_length=1, max_length=255), HIDDEN_IN_NAME, ONE_LINE]
ListedName = Annotated[str, Field(min_length=1, max_length=255), ONE_LINE]
HostName = Annotated[str, Field(min_length=1, max_length=255), HOST_NAME]
UserName = Annotated[str, Field(min_length=1, max_length=255), HIDDEN_IN_LOGIN, ONE_LINE]
DomainID = Annotated[str, Field(min_length=1, max_length=64), DOMAIN_ID]
DomainName = Annotated[str, Field(min_length=1, max_length=253), DOMAIN_NAME]
SecretName = Annotated[str, Field(min_length=1, max_length=253), SECRET_NAME]
SecretKey = Annotated[str, Field(min_length=1, max_length=253), SECRET_KEY]
# Strict like the API server, which accepts neither "587" as a number nor "yes" as a boolean.
Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
DailyLimit = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Flag = Annotated[bool, Field(strict=True)]


class PasswordReference(Block):
    """The password: one key of a Secret in the same namespace."""

    name: SecretName = Field(description="Name of the Secret. It must be in the namespace of this object.")
    key: SecretKey | None = Field(
        None, description="Key inside the Secret that holds the password. Defaults to `password`."
    )


class APIKeyReference(Block):
    """The API key of a ColdSend workspace: one key of a Secret in the same namespace."""

    name: SecretName = Field(description="Name of the Secret. It must be in the namespace of this object.")
    key: SecretKey | None = Field(
        None, description="Key inside the Secret that holds the API key. Defaults to `apiKey`."
    )


class Condition(Block):
    """One aspect of the state, as metav1.Condition. Reconciling and Stalled are there only while they are True."""

    type: Annotated[str, Field(max_length=316)] = Field(
        description="Ready, Synced, Healthy, CredentialsCurrent, Reconciling or Stalled."
    )
    status: Literal["True", "False", "Unknown"] = Field(
        description="True is good news, except for Reconciling and Stalled, which only say whether to wait."
    )
    reason: Annotated[str, Field(min_length=1, max_length=1024)] = Field(
        description="One word from the closed list of reasons in the documentation, for programs and searches."
    )
    message: Annotated[str, Field(max_length=32768)] = Field(
        description="One sentence for people: what happened, and what to do about it."
    )
    observed_generation: Annotated[int, Field(ge=0)] | None = Field(
        None, description="The metadata.generation of the spec that this condition describes."
    )
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})] = Field(
        description="When status last changed from one value to another (RFC 3339, UTC)."
    )


CONDITIONS_EXTENSION: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
