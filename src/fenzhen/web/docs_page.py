"""The page at /docs: the OpenAPI description as one self-contained page. No script, no font, no request to anywhere.

Knows OpenAPI objects only as far as this service writes them; it is not a viewer for any schema.
"""

import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any

_TEMPLATE = Path(__file__).with_name("docs_page.html")
_ERRORS_LAST = ("ErrorDetail", "ErrorShape")


def docs_page(schema: dict[str, Any]) -> str:
    """HTML of an OpenAPI object."""
    operations = [
        (path, verb, operation) for path, verbs in schema["paths"].items() for verb, operation in verbs.items()
    ]
    shapes = schema["components"]["schemas"]
    names = sorted(shapes, key=lambda name: name in _ERRORS_LAST)
    info = schema["info"]
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(info["title"]),
        summary=escape(info.get("summary", "")),
        version=escape(info["version"]),
        nav="".join(f'<a href="#{_anchor(path)}">{escape(path)}</a>' for path, _, _ in operations)
        + '<a href="#shapes">数据结构</a>',
        endpoints="".join(_endpoint(path, verb, operation, shapes) for path, verb, operation in operations),
        shapes="".join(_shape(name, shapes[name]) for name in names),
    )


def _endpoint(path: str, verb: str, operation: dict[str, Any], shapes: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(status)}</code></td><td>{_answer_type(response)}</td>"
        f"<td>{escape(response['description'])}</td></tr>"
        for status, response in sorted(operation["responses"].items())
    )
    body = _json_schema(operation.get("requestBody", {}))
    request = f"<h3>请求 Request</h3><p>{_type(body)}</p>" if body else ""
    return (
        f'<h2 id="{_anchor(path)}"><span class="verb {verb}">{verb.upper()}</span><code>{escape(path)}</code></h2>'
        f"<p>{escape(operation.get('description', ''))}</p>{request}"
        f"<h3>例 Example</h3><pre>{escape(_curl(path, body, shapes, 'security' in operation))}</pre>"
        f'<h3>答复 Responses</h3><div class="scroll"><table>{rows}</table></div>'
    )


def _shape(name: str, shape: dict[str, Any]) -> str:
    required = shape.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{'<span class=must> *</span>' if field in required else ''}</td>"
        f"<td>{_type(about)}</td><td>{escape(about.get('description', ''))}</td></tr>"
        for field, about in shape.get("properties", {}).items()
    )
    return (
        f'<h4 id="shape-{escape(name)}"><code>{escape(name)}</code></h4>'
        f'<p class="soft">{escape(shape.get("description", ""))}</p>'
        '<div class="scroll"><table><tr><th>字段 field</th><th>类型 type</th><th>说明 meaning</th></tr>'
        f"{rows}</table></div>"
    )


def _type(schema: dict[str, Any]) -> str:
    """A type in words, with a link where it is one of our shapes."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[1])
        return f'<a href="#shape-{name}"><code>{name}</code></a>'
    if "anyOf" in schema:
        return " 或 ".join(_type(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        most = f"(最多 up to {schema['maxItems']})" if "maxItems" in schema else ""
        return f"[ {_type(schema['items'])} … ]{most}"
    limits = (("minimum", "≥ {:g}"), ("maximum", "≤ {:g}"), ("maxLength", "最多 {:,} 字"))
    said = [text.format(schema[key]) for key, text in limits if key in schema]
    return escape(" ".join([schema.get("format") or schema.get("type") or "any", *said]))


def _answer_type(response: dict[str, Any]) -> str:
    schema = _json_schema(response)
    return _type(schema) if schema else "text"


def _json_schema(content: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = content.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _curl(path: str, body: dict[str, Any], shapes: dict[str, Any], guarded: bool) -> str:
    lines = [f"curl http://127.0.0.1:8000{path}"]
    if guarded:
        lines.append("-H 'Authorization: Bearer 密钥'")
    if body:
        many = body.get("type") == "array"
        name = (body["items"] if many else body)["$ref"].rsplit("/", 1)[1]
        given = shapes[name].get("examples", [{}])[0]
        example = {field: given[field] for field in shapes[name]["properties"] if field in given}
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d '{json.dumps([example] if many else example, ensure_ascii=False)}'")
    note = "# 没有设置密钥时去掉 Authorization 一行 · leave Authorization out where no key is set\n" if guarded else ""
    return note + " \\\n  ".join(lines)


def _anchor(path: str) -> str:
    return path.strip("/").replace("/", "-")
