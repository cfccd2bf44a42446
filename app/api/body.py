"""Read the JSON body of a request strictly, then by its model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from infra.strict_json.read import read_object
from infra.web.body import check_json_media_type, decode_body

_Model = TypeVar("_Model", bound=BaseModel)
# Filled while modules of routes are imported: the framework does not find what is read by a dependency.
_TAKEN: dict[str, type[BaseModel]] = {}


def body_as(
    model: type[_Model], *, may_be_empty: bool = False
) -> Callable[[Request], Awaitable[_Model]]:
    """Make the dependency that reads a body: numbers exact, no key twice, nothing unknown."""

    async def read(request: Request) -> _Model:
        raw = await request.body()
        if not raw and may_be_empty:
            return model()
        check_json_media_type(request.scope["headers"])
        content = read_object(decode_body(request.scope["headers"], raw))
        try:
            return model.model_validate(content)
        except ValidationError as fault:
            found = fault.errors(include_url=False, include_input=False)
            raise RequestValidationError(
                [{**each, "loc": ("body", *each["loc"])} for each in found]
            ) from None

    return read


def takes(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """Say in the contract what a route with such a dependency takes; no two may share a name."""
    if _TAKEN.setdefault(model.__name__, model) is not model:
        raise ValueError(f"Two bodies are called {model.__name__}.")
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "requestBody": {
            "required": required,
            "content": {"application/json": {"schema": schema}},
        }
    }


def taken_bodies() -> Mapping[str, type[BaseModel]]:
    """Give all bodies that routes take, by name; complete once every route is imported."""
    return _TAKEN
