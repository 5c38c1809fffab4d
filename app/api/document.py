"""The OpenAPI 3.1 document, made from the doors themselves, so that it says what they do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.api.door import LARGEST_ID, Asked, Door
from app.kernel.idempotency import KEY_LIMIT
from app.kernel.signing import EVENT_ID, SIGNATURE

_REF = "#/components/schemas/{model}"
_PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
_WHY = {
    400: "Something required is missing, or the body is not readable JSON.",
    401: "No token, one that is not good any more, or a signature that is wrong or old.",
    403: "The rule that forbids it, in words.",
    404: "Not here, or not yours to see.",
    409: "Somebody was faster, or the thing has moved on: the reason says what is true now.",
    413: "A request holds at most 1 MB.",
    415: "A body is JSON in UTF-8, not packed.",
    422: "What was handed in can't be used; `field` says which part.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "The database does not answer just now; try again in a moment.",
}
_PROBLEM = {
    "type": "object",
    "description": "A problem (RFC 9457). `detail` is for people; `type` tells programs the kind.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "field": {"type": "string", "description": "The part that can't be used."},
        "errors": {
            "type": "array",
            "items": {"type": "object", "required": ["field", "message"], "properties": {"field": {"type": "string"}, "message": {"type": "string"}}},
        },
        "retry_after": {"type": "integer", "description": "Seconds."},
    },
}


def document(doors: Sequence[Door], *, prefix: str, version: str) -> dict[str, Any]:
    """The whole description."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for one in doors:
        models += [(one.takes, "validation")] if one.takes else []
        models += [(one.gives, "serialization")] if one.gives else []
    named, defined = models_json_schema(models, ref_template=_REF)
    paths: dict[str, Any] = {}
    for one in sorted(doors, key=lambda each: (each.path, each.method)):
        paths.setdefault(_PLACE.sub(r"{\2}", one.path), {})[one.method.lower()] = _operation(one, named)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vouch",
            "version": version,
            "summary": "Trusted advocates answer public mentions with vetted replies.",
            "description": "Writes take an `Idempotency-Key`: for 24 h the same key gets the same answer. Lists end with `next`, the `cursor` of what follows.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": prefix}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A token of `flask tokens issue`; it has its person's rights."}},
            "schemas": {**defined.get("$defs", {}), "Problem": _PROBLEM},
        },
    }


def _operation(one: Door, named: dict[Any, Any]) -> dict[str, Any]:
    words = " ".join((one.view.__doc__ or "").split())
    operation: dict[str, Any] = {
        "operationId": one.name,
        "summary": words.split(". ")[0].rstrip(".") + ".",
        "description": words,
        "tags": [one.path.split("/")[1]],
        "parameters": [*_places(one), *_query(one.asks), *_headers(one)],
        "responses": {str(status): _good(one, status, named) for status in (one.status, *one.also)} | {str(status): _bad(status) for status in _refusals(one)},
    }
    if one.takes is not None:
        # Where nothing is required the whole body may be left out.
        required = bool(one.takes.model_json_schema().get("required")) or one.reads != "model"
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": named[(one.takes, "validation")]}}}
    if one.public:
        operation["security"] = []
    return operation


def _places(one: Door) -> list[dict[str, Any]]:
    kinds = {"id": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}, "": {"type": "string", "minLength": 1}}
    return [{"name": name, "in": "path", "required": True, "schema": kinds[kind]} for kind, name in _PLACE.findall(one.path)]


def _query(asks: type[Asked] | None) -> list[dict[str, Any]]:
    if asks is None:
        return []
    schema = asks.model_json_schema()
    parameters = []
    for name, field in schema["properties"].items():
        kind = {key: value for key, value in field.items() if key not in ("description", "title", "default")}
        # A query has no null: what is not asked for is left out.
        kinds = [each for each in kind.pop("anyOf", []) if each.get("type") != "null"]
        kind |= kinds[0] if kinds else {}
        if field.get("default") is not None:
            kind["default"] = field["default"]
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": kind}
        parameters.append(parameter | ({"description": field["description"]} if "description" in field else {}))
    return parameters


def _headers(one: Door) -> list[dict[str, Any]]:
    if one.name == "deliver":
        signature = {"type": "string", "description": "`t=UNIX_SECONDS,v1=HEX`, HMAC-SHA256 over `t.body`, 5 min skew."}
        return [
            {"name": SIGNATURE, "in": "header", "required": True, "schema": signature},
            {"name": EVENT_ID, "in": "header", "required": False, "schema": {"type": "string"}},
        ]
    if not one.keyed:
        return []
    key = {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT, "pattern": "^[!-~]+$"}
    return [{"name": "Idempotency-Key", "in": "header", "required": False, "schema": key}]


def _good(one: Door, status: int, named: dict[Any, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if one.gives is not None:
        answer["content"] = {"application/json": {"schema": named[(one.gives, "serialization")]}}
    return answer


def _refusals(one: Door) -> list[int]:
    found = {429, 503}
    if not one.public:
        found |= {400, 401, 403} if one.asks or one.takes else {401, 403}
    if one.asks is not None:
        found |= {404, 422}
    if "<" in one.path:
        found.add(404)
    if one.takes is not None:
        found |= {400, 404, 413, 415, 422}
    if one.within == "write":
        found.add(409)
    if one.public:
        found |= {401}
    return sorted(found)


def _bad(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _WHY[status], "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    if status == 429:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return answer
