"""The routes: read the body, call the service, write the answer. One short function each; rules live elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from fenzhen.errors import RequestError
from fenzhen.message import Message
from fenzhen.review.feedback import Feedback
from fenzhen.web.body import read_json
from fenzhen.web.docs_page import docs_page
from fenzhen.web.errors import Json
from fenzhen.web.keys import Keys
from fenzhen.web.limits import MAX_BATCH
from fenzhen.web.maintenance import FaqQuestion, Trial
from fenzhen.web.metrics import CONTENT_TYPE
from fenzhen.web.openapi import GUARDED, NOT_READY, READS_BODY, request_body
from fenzhen.web.schemas import Answer, ClassifyRequest, FeedbackAnswer, FeedbackRequest, Health
from fenzhen.web.schemas_maintenance import FaqAnswer, FaqRequest, SimulateRequest, SimulationAnswer
from fenzhen.web.service import Service

_DONE = "成功 · done"


def work_routes(service: Service, keys: Keys) -> APIRouter:
    """The routes that need an API key where there are keys."""
    router = APIRouter(dependencies=[Depends(keys)], responses=GUARDED)

    @router.post(
        "/classify",
        response_model=Answer,
        response_description=_DONE,
        responses=READS_BODY,
        openapi_extra=request_body(ClassifyRequest),
    )
    async def classify(request: Request) -> Response:
        """分诊一条消息 · Triage one buyer message: topic, emotion, confidence, and who should answer."""
        message = Message.from_dict(await read_json(request))
        [answer] = await service.classify([message])
        _log(request, [answer])
        return Json(answer)

    @router.post(
        "/classify/batch",
        response_model=list[Answer],
        response_description=_DONE,
        responses=READS_BODY,
        openapi_extra=request_body(ClassifyRequest, many=True),
    )
    async def classify_batch(request: Request) -> Response:
        """分诊多条消息 · Triage up to 256 messages, answered in order; one bad message refuses the batch."""
        answers = await service.classify(_messages(await read_json(request)))
        _log(request, answers)
        return Json(answers)

    @router.post(
        "/feedback",
        response_model=FeedbackAnswer,
        response_description=_DONE,
        responses=READS_BODY | NOT_READY | {404: GUARDED[401] | {"description": "没有这个 id · no such decision"}},
        openapi_extra=request_body(FeedbackRequest),
    )
    async def feedback(request: Request) -> Response:
        """反馈后来发生的事 · Say what happened later: a correction, a transfer, a closed conversation. Idempotent."""
        event = Feedback.from_dict(await read_json(request))
        status = await service.feedback(event)
        request.state.log = {"ids": [event.id], "feedback": event.event, "outcome": status}
        return Json({"status": status})

    @router.post(
        "/faq/search",
        response_model=FaqAnswer,
        response_description=_DONE,
        responses=READS_BODY,
        openapi_extra=request_body(FaqRequest),
    )
    async def faq_search(request: Request) -> Response:
        """查知识库 · Search the FAQ: entries for a shop, best first, each with the probability that it is right."""
        return Json(await service.search_faq(FaqQuestion.from_dict(await read_json(request))))

    @router.post(
        "/policy/simulate",
        response_model=SimulationAnswer,
        response_description=_DONE,
        responses=READS_BODY,
        openapi_extra=request_body(SimulateRequest),
    )
    async def policy_simulate(request: Request) -> Response:
        """试算规则改动 · Say what another policy, or another overlay of a shop, would change for some messages."""
        return Json(await service.simulate(Trial.from_dict(await read_json(request))))

    @router.get(
        "/metrics",
        response_class=Response,
        response_description=_DONE,
        responses={200: {"content": {"text/plain": {}}}},
    )
    def metrics() -> Response:
        """监控指标 · Prometheus metrics."""
        return Response(service.metrics.render(), media_type=CONTENT_TYPE)

    return router


def open_routes(service: Service, schema: Callable[[], dict[str, Any]]) -> APIRouter:
    """The routes that anyone may ask: health and documentation."""
    router = APIRouter()

    @router.get("/healthz", response_model=Health, response_description=_DONE)
    async def healthz() -> Response:
        """进程活着 · The process is alive. Says nothing about the model or the store."""
        return Json({"status": "ok"})

    @router.get("/readyz", response_model=Health, response_description=_DONE, responses=NOT_READY)
    async def readyz() -> Response:
        """可以工作 · The model answers and decisions can be kept; 503 with the reason otherwise."""
        await service.check_ready()
        return Json({"status": "ok"})

    @router.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(docs_page(schema()))

    @router.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response:
        return Json(schema())

    @router.get("/", include_in_schema=False)
    async def home() -> Response:
        return RedirectResponse("/docs")

    return router


def _messages(data: Any) -> list[Message]:
    """The messages of a batch. Raises RequestError naming index and field of the first bad one."""
    if not isinstance(data, list):
        raise RequestError(f"found {type(data).__name__}, expected an array of messages; one message goes to /classify")
    if len(data) > MAX_BATCH:
        raise RequestError(f"found {len(data)} messages, the limit is {MAX_BATCH}; send several batches")
    messages = []
    for index, item in enumerate(data):
        try:
            messages.append(Message.from_dict(item))
        except RequestError as error:
            field = f"[{index}]" if error.field is None else f"[{index}].{error.field}"
            raise RequestError(f"message {index}: {error}", field=field) from error
    return messages


def _log(request: Request, answers: Sequence[Mapping[str, Any]]) -> None:
    request.state.log = {
        "ids": [answer["id"] for answer in answers],
        "topics": [answer["topic"] for answer in answers],
        "actions": [answer["route"]["action"] for answer in answers],
    }
