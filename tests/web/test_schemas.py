"""The documented shapes and the checks that run are the same: fields, choices and limits, in both directions."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from fenzhen.message import ORDER_STATES, ROLES, Message, Order, OrderState, Product, Role, Turn
from fenzhen.review.feedback import EVENTS, Event, Feedback
from fenzhen.routing.decision import Route
from fenzhen.web import schemas


@pytest.mark.parametrize(
    ("shape", "read"),
    [
        (schemas.ClassifyRequest, Message),
        (schemas.TurnShape, Turn),
        (schemas.OrderShape, Order),
        (schemas.ProductShape, Product),
        (schemas.FeedbackRequest, Feedback),
        (schemas.RouteShape, Route),
    ],
)
def test_fields_are_the_same(shape: type[BaseModel], read: type[Any]) -> None:
    assert set(shape.model_fields) == {field.name for field in fields(read)}


def test_choices_are_the_same() -> None:
    assert get_args(Role) == ROLES and get_args(OrderState) == ORDER_STATES and get_args(Event) == EVENTS


def test_examples_are_accepted() -> None:
    pairs: tuple[tuple[type[BaseModel], Callable[[Any], object]], ...] = (
        (schemas.ClassifyRequest, Message.from_dict),
        (schemas.FeedbackRequest, Feedback.from_dict),
    )
    for shape, read in pairs:
        extra = shape.model_config["json_schema_extra"]
        assert isinstance(extra, dict) and isinstance(extra["examples"], list)
        for example in extra["examples"]:
            shape.model_validate(example)
            read(example)
