"""The OpenAPI document in the shape of a page."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_CODE = re.compile("`([^`]+)`")


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    kind: str
    is_required: bool
    words: str


@dataclass(frozen=True)
class Answer:
    status: str
    words: str
    example: str


@dataclass(frozen=True)
class OperationEntry:
    anchor: str
    method: str
    path: str
    words: str
    is_public: bool
    parameters: list[Parameter]
    body: str
    answers: list[Answer]


def operations_by_tag(document: dict[str, Any]) -> dict[str, list[OperationEntry]]:
    """All operations under their tag, in the order of the addresses."""
    tags: dict[str, list[OperationEntry]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            entry = OperationEntry(
                anchor=operation["operationId"],
                method=method.upper(),
                path=path,
                words=_marked(operation.get("description", "")),
                is_public=operation.get("security") in ([], [{}]) or "security" not in operation,
                parameters=[_parameter(parameter) for parameter in operation.get("parameters", [])],
                body=_example(document, operation.get("requestBody", {})),
                answers=[
                    Answer(status, _marked(answer.get("description", "")), "" if status >= "4" else _example(document, answer))
                    for status, answer in sorted(operation["responses"].items())
                ],
            )
            tags.setdefault(operation.get("tags", ["Other"])[0], []).append(entry)
    return tags


def _marked(words: str) -> SafeString:
    """WORDS with `code` as such."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", escape(words)))  # noqa: S308 -- escaped just before


def _parameter(parameter: dict[str, Any]) -> Parameter:
    schema = parameter.get("schema", {})
    kind = " | ".join(schema["enum"]) if schema.get("enum") else str(schema.get("type", ""))
    return Parameter(parameter["name"], parameter["in"], kind, bool(parameter.get("required")), _marked(parameter.get("description", "")))


def _example(document: dict[str, Any], holder: dict[str, Any]) -> str:
    """The JSON content of a body or answer as an example, or empty."""
    for media, content in holder.get("content", {}).items():
        if media == "application/json" and "schema" in content:
            return json.dumps(_sample(document, content["schema"]), ensure_ascii=False, indent=2)
    return ""


def _sample(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """A value that fits SCHEMA, told by types: `"string"`, `0`, …"""
    if depth > 8:
        return None
    if "$ref" in schema:
        return _sample(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], depth + 1)
    for key in ("allOf", "oneOf", "anyOf"):
        if schema.get(key):
            return _sample(document, schema[key][0], depth + 1)
    if schema.get("enum"):
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    match kind:
        case "object":
            return {name: _sample(document, inner, depth + 1) for name, inner in schema.get("properties", {}).items()}
        case "array":
            return [_sample(document, schema.get("items", {}), depth + 1)]
        case "integer":
            return 0
        case "number":
            return 0.0
        case "boolean":
            return True
        case "string":
            return "2027-01-10T19:30:00+09:00" if schema.get("format") == "date-time" else "string"
    return {}
