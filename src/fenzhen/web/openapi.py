"""What OpenAPI says beyond FastAPI's own: request bodies that we read ourselves, the error shape, the API key."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from fenzhen.taxonomy import Taxonomy
from fenzhen.web.limits import MAX_BATCH
from fenzhen.web.schemas import ClassifyRequest, ErrorShape, FeedbackRequest
from fenzhen.web.schemas_maintenance import FaqRequest, SimulateRequest

Responses = dict[int | str, dict[str, Any]]
_REF = "#/components/schemas/{model}"


def _error(description: str) -> dict[str, Any]:
    return {"model": ErrorShape, "description": description}


GUARDED: Responses = {401: _error("没有或错误的密钥 · no valid API key")}
READS_BODY: Responses = {
    400: _error("请求读不懂 · a request that can't be read; field names the part at fault"),
    413: _error("超过 256 KB · body over 256 KB"),
    415: _error("不是 JSON · not announced as application/json"),
    429: _error("排队已满,稍后再试 · too many requests wait, try again in a second"),
    500: _error("我们的错误 · an error of ours; hand the buyer to a person"),
}
NOT_READY: Responses = {503: _error("模型或存储不可用 · model or store can't work; the message says why")}


def request_body(shape: type[BaseModel], *, many: bool = False) -> dict[str, Any]:
    """OpenAPI description of a JSON body, for `openapi_extra`."""
    schema: dict[str, Any] = {"$ref": _REF.format(model=shape.__name__)}
    if many:
        schema = {"type": "array", "items": schema, "maxItems": MAX_BATCH}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def install(app: FastAPI, taxonomy: Taxonomy | None) -> None:
    """Replace `app.openapi` by one that knows our request shapes, the API key, and the labels where there are any."""
    built: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not built:
            built.append(_build(app, taxonomy))
        return built[0]

    app.openapi = openapi  # type: ignore[method-assign]


def _build(app: FastAPI, taxonomy: Taxonomy | None) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    _, requests = models_json_schema(
        [(shape, "validation") for shape in (ClassifyRequest, FeedbackRequest, FaqRequest, SimulateRequest)],
        ref_template=_REF,
    )
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {}).update(requests["$defs"])
    if taxonomy is not None:
        about = components["schemas"]["FeedbackRequest"]["properties"]
        about["topic"]["anyOf"][0] = {"type": "string", "enum": list(taxonomy.topic_ids)}
        about["emotion"]["anyOf"][0] = {"type": "string", "enum": list(taxonomy.emotion_ids)}
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path in schema["paths"].values():
        for operation in path.values():
            if "401" in operation["responses"]:
                operation["security"] = [{"key": []}]
    return schema
