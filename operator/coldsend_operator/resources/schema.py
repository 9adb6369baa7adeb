"""From the JSON schema of pydantic to the structural schema of the API server."""

from typing import Any, TypeAlias

from pydantic import BaseModel

Schema: TypeAlias = dict[str, Any]

# `default` is dropped, as what is stored is what was applied; the others are of no use to readers.
LEFT_OUT = frozenset({"title", "default", "$defs"})
# The order in which readers want the keys.
ORDER = ("description", "type", "anyOf", "format", "enum", "nullable", "minimum", "maximum", "minLength", "maxLength")


def structural(model: type[BaseModel], *, nullable: bool = False) -> Schema:
    """OpenAPI v3 without $ref, null types and defaults. With `nullable`, fields that may be absent may also be null."""
    schema = model.model_json_schema(by_alias=True)
    return _convert(schema, schema.get("$defs", {}), nullable=nullable)


def _convert(schema: Schema, definitions: Schema, *, nullable: bool) -> Schema:
    schema = _without_null(_resolved(schema, definitions), definitions, nullable=nullable)
    keys = [*(key for key in ORDER if key in schema), *(key for key in schema if key not in ORDER)]
    converted = {key: schema[key] for key in keys if key not in LEFT_OUT}
    if "properties" in converted:
        converted["properties"] = {
            name: _convert(field, definitions, nullable=nullable) for name, field in converted["properties"].items()
        }
    if "items" in converted:
        converted["items"] = _convert(converted["items"], definitions, nullable=nullable)
    return converted


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    # Keys next to a reference belong to the field and override those of the type.
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return {**definitions[reference.rpartition("/")[2]], **beside}


def _without_null(schema: Schema, definitions: Schema, *, nullable: bool) -> Schema:
    branches = [branch for branch in schema.get("anyOf", ()) if branch != {"type": "null"}]
    if len(branches) == len(schema.get("anyOf", ())):
        return schema
    beside = {key: value for key, value in schema.items() if key != "anyOf"}
    # pydantic flattens `int | str | None` into three branches where no metadata stands between.
    only = branches[0] if len(branches) == 1 else {"anyOf": branches}
    merged = {**_resolved(only, definitions), **beside}
    return {**merged, "nullable": True} if nullable else merged
