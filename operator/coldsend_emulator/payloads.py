"""Request bodies with the documented fields and bounds, and the responses to invalid ones."""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from coldsend_emulator.refusals import Refusal
from coldsend_emulator.switches import Switches

PROVIDER_MAXIMUM = {"GOOGLE_WORKSPACE": 2000, "OUTLOOK_365": 5000, "CUSTOM_SMTP": 100_000}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_PREFIX_RULES = {
    "cautious": re.compile(r"(?!.*\.\.)[a-z0-9_-]([a-z0-9._-]{0,62}[a-z0-9_-])?"),
    "letters_digits": re.compile(r"[a-z0-9]{1,64}"),
    "anything": re.compile(r"[^@\s]+"),
}

Text255 = Annotated[str, Field(min_length=1, max_length=255)]
Address = Annotated[str, Field(min_length=5, max_length=255)]
Port = Annotated[int, Field(ge=1, le=65535)]
Item = TypeVar("Item", bound=BaseModel)


def _switches(info: ValidationInfo) -> Switches:
    switches = info.context
    if not isinstance(switches, Switches):
        raise TypeError("request bodies are validated with the switches as context")
    return switches


def _check_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise PydanticCustomError("value_error", "value is not a valid email address")
    return value


class SmtpAccount(BaseModel):
    email_address: Address
    display_name: Text255
    inbox_type: Literal["GOOGLE_WORKSPACE", "OUTLOOK_365", "CUSTOM_SMTP"]
    smtp_host: Text255
    smtp_port: Port
    smtp_username: Text255
    smtp_password: str
    imap_host: str
    imap_port: Port
    imap_username: str
    imap_password: str
    daily_limit: int = 100
    smtp_use_tls: StrictBool = True
    imap_use_ssl: StrictBool = True

    @field_validator("email_address")
    @classmethod
    def _address_shape(cls, value: str) -> str:
        return _check_address(value)

    @field_validator("smtp_password", "imap_host", "imap_username", "imap_password")
    @classmethod
    def _length(cls, value: str, info: ValidationInfo) -> str:
        shortest = int(_switches(info).amount("secret_minimum"))
        longest = int(_switches(info).amount("secret_maximum"))
        if len(value) < shortest:
            template = "String should have at least {min_length} characters"
            raise PydanticCustomError("string_too_short", template, {"min_length": shortest})
        if len(value) > longest:
            template = "String should have at most {max_length} characters"
            raise PydanticCustomError("string_too_long", template, {"max_length": longest})
        return value

    @field_validator("daily_limit")
    @classmethod
    def _provider_bounds(cls, value: int, info: ValidationInfo) -> int:
        lowest = int(_switches(info).amount("limit_minimum"))
        highest = PROVIDER_MAXIMUM.get(info.data.get("inbox_type", ""), max(PROVIDER_MAXIMUM.values()))
        if lowest <= value <= highest:
            return value
        if _switches(info).choice("limit_out_of_range") == "clamped":
            return min(max(value, lowest), highest)
        if value < lowest:
            template = "Input should be greater than or equal to {ge}"
            raise PydanticCustomError("greater_than_equal", template, {"ge": lowest})
        raise PydanticCustomError("less_than_equal", "Input should be less than or equal to {le}", {"le": highest})


class NativeInbox(BaseModel):
    email_prefix: str
    display_name: str = Field(min_length=1)
    daily_limit: int | None = None  # not documented: row 30

    @field_validator("email_prefix")
    @classmethod
    def _prefix_rules(cls, value: str, info: ValidationInfo) -> str:
        if not _PREFIX_RULES[_switches(info).choice("prefix_rules")].fullmatch(value):
            raise PydanticCustomError("value_error", "email_prefix has characters that are not allowed")
        return value

    @field_validator("display_name")
    @classmethod
    def _name_length(cls, value: str, info: ValidationInfo) -> str:
        longest = int(_switches(info).amount("native_display_name_maximum"))
        if len(value) > longest:
            template = "String should have at most {max_length} characters"
            raise PydanticCustomError("string_too_long", template, {"max_length": longest})
        return value

    @model_validator(mode="after")
    def _limit_sent(self, info: ValidationInfo) -> Self:
        if self.daily_limit is None:
            return self
        treatment = _switches(info).choice("native_limit_sent")
        if treatment == "refused":
            raise PydanticCustomError("extra_forbidden", "daily_limit cannot be set for native inboxes")
        if treatment == "ignored":
            self.daily_limit = None
        return self


class NativeInboxCreate(NativeInbox):
    domain_id: UUID


class NativeBulk(BaseModel):
    domain_id: UUID
    inboxes: list[NativeInbox] = Field(min_length=1, max_length=100)


class SmtpBulk(BaseModel):
    inboxes: list[SmtpAccount] = Field(min_length=1, max_length=100)


class SmtpBulkUnchecked(BaseModel):
    inboxes: list[Any] = Field(min_length=1, max_length=100)


class NativeBulkUnchecked(SmtpBulkUnchecked):
    domain_id: UUID


class BulkDelete(BaseModel):
    inbox_ids: list[UUID] = Field(min_length=1, max_length=100)
    confirm_deletion: StrictBool

    @field_validator("confirm_deletion")
    @classmethod
    def _is_true(cls, value: bool) -> bool:  # noqa: FBT001 -- the signature of a validator
        if not value:
            raise PydanticCustomError("literal_error", "Input should be true")
        return value


class TestEmail(BaseModel):
    __test__ = False  # pytest would collect it as a test class

    recipient_email: Address

    @field_validator("recipient_email")
    @classmethod
    def _address_shape(cls, value: str) -> str:
        return _check_address(value)


class DomainCreate(BaseModel):
    domain: str = Field(min_length=3, max_length=253, pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")


def read(model: type[Item], raw: bytes, switches: Switches) -> Item:
    """Validate a body. Raises Refusal 422 with the `loc` of each error."""
    extra: Literal["forbid", "ignore"] = "forbid" if switches.choice("unknown_fields") == "refused" else "ignore"
    try:
        return model.model_validate_json(raw, strict=True, extra=extra, context=switches)
    except ValidationError as error:
        raise Refusal(422, problems(error.errors(include_url=False), switches, ("body",))) from None


def read_item(model: type[Item], item: Any, switches: Switches) -> Item:
    """Validate one item of a bulk."""
    return read(model, json.dumps(item).encode(), switches)


def problems(errors: Sequence[Any], switches: Switches, prefix: tuple[str, ...] = ()) -> list[dict[str, Any]] | str:
    form = switches.choice("validation_detail")
    if form == "sentence":
        return f"Validation failed: {errors[0]['msg']}"
    told = [
        {"loc": [*prefix, *error["loc"]], "msg": error["msg"], "type": error["type"]}
        | ({"input": error["input"]} if form == "with_input" else {})
        for error in errors
    ]
    if form == "first_only":
        return told[:1]
    if form == "without_loc":
        return [{"msg": problem["msg"], "type": problem["type"]} for problem in told]
    if form == "value_in_msg":
        for problem, error in zip(told, errors, strict=True):
            problem["msg"] += f" (got {error['input']!r})"
    return told
