"""OpenAPI 3.1 of /api/v1, made from the tables of the features; clients, types and attacks are made from it."""

from collections.abc import Iterable
from typing import Any

import msgspec

import aquila
from aquila.core.feature import Command, Feature, Query
from aquila.web_api.errors import ErrorAnswer
from aquila.web_api.settings import Banner, FirstView

PREFIX = "/api/v1"
REF = "#/components/schemas/{name}"


class NodeName(msgspec.Struct, frozen=True):
    """This node: its id and its name for people."""

    id: str
    name: str


class WhoAmI(msgspec.Struct, frozen=True):
    """The asker as the node knows it."""

    id: str
    name: str
    roles: tuple[str, ...]
    nation: str | None
    groups_in: tuple[str, ...]
    groups_out: tuple[str, ...]


class Me(msgspec.Struct, frozen=True):
    """Who asks, whom, and what goes over the screen."""

    principal: WhoAmI
    node: NodeName
    context: str
    banner: Banner
    server_time_ms: int
    view: FirstView | None = None


FAULTS = {
    "400": "The request does not parse or names what is not allowed",
    "401": "Nobody is logged in",
    "403": "The role, the groups or the origin do not allow it",
    "404": "Nothing here, or nothing that the asker may see",
    "409": "The name is taken",
    "413": "The body is larger than 256 kB",
    "421": "The node is not called by this Host",
    "422": "The statement is not admitted; the reason is given",
    "429": "Too often",
    "503": "The node cannot answer now",
    "507": "The disk is full or failing: statements are refused",
}


def document(features: Iterable[Feature]) -> dict[str, Any]:
    """The whole document; the same features give the same document."""
    operations = sorted(
        (operation for feature in features for operation in _operations(feature)),
        key=lambda each: (each[1].path, each[0]),
    )
    types: list[type[Any]] = [Me, ErrorAnswer]
    for _, row, _ in operations:
        types += [row.request, row.row if isinstance(row, Query) else row.answer]
    _, schemas = msgspec.json.schema_components(dict.fromkeys(types), ref_template=REF)
    doubled = sorted(name for name in schemas if "." in name)
    if doubled:
        # msgspec tells two records of one name apart by their modules; clients in other languages could not.
        raise ValueError(f"records of one name in the tables of queries and commands: rename one of {doubled}")
    paths: dict[str, dict[str, Any]] = {
        f"{PREFIX}/me": {"get": _me()},
    }
    for method, row, feature_name in operations:
        operation = _operation(row, feature_name, schemas)
        paths.setdefault(PREFIX + row.path, {})[method] = operation
    used = _used(paths, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Aquila",
            "version": aquila.__version__,
            "description": "One node: its picture and its journal. Every answer holds only what the asker may have.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {name: schemas[name] for name in sorted(used)},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"token": []}],
    }


def _operations(feature: Feature) -> Iterable[tuple[str, Query | Command, str]]:
    for query in feature.queries:
        yield "get", query, feature.name
    for command in feature.commands:
        yield command.method.lower(), command, feature.name


def _me() -> dict[str, Any]:
    return {
        "operationId": "me",
        "summary": "Who asks, and whom",
        "tags": ["access"],
        "responses": {"200": _json("Success", {"$ref": REF.format(name="Me")}), **_faults()},
    }


def _operation(row: Query | Command, feature: str, schemas: dict[str, Any]) -> dict[str, Any]:
    in_path = [part[1:-1] for part in row.path.split("/") if part.startswith("{")]
    fields = schemas[row.request.__name__]
    operation: dict[str, Any] = {
        "operationId": row.name,
        "summary": row.summary,
        "tags": [feature],
        "x-role": row.role,
    }
    has_body = isinstance(row, Command) and row.method == "POST"
    parameters = [
        _parameter(name, schema, fields, in_path)
        for name, schema in fields.get("properties", {}).items()
        if name in in_path or not has_body
    ]
    if parameters:
        operation["parameters"] = parameters
    if has_body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": REF.format(name=row.request.__name__)}}},
        }
    answer = row.row if isinstance(row, Query) else row.answer
    schema: dict[str, Any] = {"$ref": REF.format(name=answer.__name__)}
    if isinstance(row, Query) and not row.one:
        schema = {"type": "array", "items": schema}
    status = "201" if has_body else "200"
    operation["responses"] = {status: _json("Success", schema), **_faults()}
    return operation


def _parameter(name: str, schema: dict[str, Any], fields: dict[str, Any], in_path: list[str]) -> dict[str, Any]:
    place = "path" if name in in_path else "query"
    return {
        "name": name,
        "in": place,
        "required": place == "path" or name in fields.get("required", ()),
        "schema": schema,
    }


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _faults() -> dict[str, Any]:
    return {status: _json(text, {"$ref": REF.format(name="ErrorAnswer")}) for status, text in FAULTS.items()}


def _used(paths: Any, schemas: dict[str, Any]) -> set[str]:  # JSON
    """Names of the schemas that the paths reach; requests that became parameters are not among them."""
    used: set[str] = set()
    waiting = [paths]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
            ref = node.get("$ref")
            name = ref.rpartition("/")[2] if isinstance(ref, str) else None
            if name is not None and name not in used:
                used.add(name)
                waiting.append(schemas[name])
    return used
