"""A door: one operation of the API, from the request's bytes to the answer's.

Read `_through` from top to bottom: who asks and may they, what was handed in, is it asked again, one verb, the answer.
The writer's lock is taken last: nobody unknown, slow or mistaken makes others wait.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Generic, Literal, TypeVar

from flask import Blueprint, Response, request
from flask_login import current_user
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from werkzeug.routing import BaseConverter

from app import access
from app.accounts.models import User
from app.kernel import idempotency, limits
from app.kernel.db import db
from app.kernel.errors import Invalid, Missing, SignedOut, VouchError
from app.kernel.pagination import MOST, Page
from app.kernel.text import storable
from community.channels.importing import BadPost, loads

LARGEST_ID = 10**18 - 1
T = TypeVar("T")
S = TypeVar("S")

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


class Unreadable(VouchError):
    """The body is no JSON we take."""

    status = 400
    code = "unreadable"


class WrongKind(VouchError):
    """The body is of another kind than JSON in UTF-8, not packed."""

    status = 415
    code = "unsupported-media-type"


class Given(BaseModel):
    """What a body may hold. Fields are allowed one by one, exactly of their type; others change nothing."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Asked(BaseModel):
    """What a query may ask."""

    model_config = ConfigDict(extra="ignore")


class Shown(BaseModel):
    """What an answer holds."""

    model_config = ConfigDict(from_attributes=True)


class Listed(Shown, Generic[T]):
    """A page of a list. `next` is the `cursor` that continues it, null at its end."""

    items: list[T]
    next: str | None


class Nothing(Given):
    """Nothing is needed."""


def _fit(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_fit)]
"""Any text; what no database keeps (NUL, half a surrogate pair) becomes U+FFFD."""
Slug = Annotated[Words, Field(max_length=64)]
RowId = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Revision = Annotated[int, Field(ge=1, le=2**31 - 1, description="The revision that was read; the reply must still stand at it.")]


class OfBrand(Asked):
    """Which brand, for those who work in several."""

    brand: Annotated[Slug | None, Field(description="The brand's slug; one's only brand is the default.")] = None


class Paged(OfBrand):
    limit: Annotated[int, Field(ge=1, le=MOST)] = 50
    cursor: Annotated[Words | None, Field(max_length=500, pattern=r"^[A-Za-z0-9_-]*$", description="`next` of the page before.")] = None


class IdConverter(BaseConverter):
    """A row's id in a path; whatever no id can be is simply not there."""

    regex = r"[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)


@dataclass(frozen=True)
class Door:
    """One operation. `within`: the transaction its view runs in; `think` runs before it and its result is handed on as `ready`."""

    name: str
    method: str
    path: str
    view: Callable[..., Any]
    gives: type[BaseModel] | None
    takes: type[BaseModel] | None
    asks: type[Asked] | None
    status: int
    also: tuple[int, ...]
    reads: Literal["model", "json", "bytes"]
    within: Literal["read", "write", "nothing"]
    limit: str
    public: bool
    think: Callable[..., Any] | None

    @property
    def keyed(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return self.within == "write"


DOORS: list[Door] = []


def door(
    method: str,
    path: str,
    *,
    gives: type[BaseModel] | None = None,
    takes: type[BaseModel] | None = None,
    asks: type[Asked] | None = None,
    status: int = 200,
    also: tuple[int, ...] = (),
    reads: Literal["model", "json", "bytes"] = "model",
    within: Literal["read", "write", "nothing"] | None = None,
    limit: str | None = None,
    public: bool = False,
    think: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Open a door to a view. It is called with `by` (the person), `body`, `query` and `ready` where the door has them, and the
    path's values; it returns the answer's model, None for 204, or a pair with another status."""

    def open_(view: Callable[..., Any]) -> Callable[..., Any]:
        reading = method == "GET"
        one = Door(
            name=view.__name__,
            method=method,
            path=path,
            view=view,
            gives=gives,
            takes=takes or (None if reading else Nothing),
            asks=asks,
            status=status,
            also=also,
            reads=reads,
            within=within or ("read" if reading else "write"),
            limit=limit or ("read" if reading else "write"),
            public=public,
            think=think,
        )

        def answer(**values: Any) -> Response:
            return _through(one, values)

        answer.own_transactions = True  # type: ignore[attr-defined]
        DOORS.append(one)
        # Without this a browser's question OPTIONS would be answered past the access table.
        blueprint.add_url_rule(path, endpoint=one.name, view_func=answer, methods=[method], provide_automatic_options=False)
        return view

    return open_


def listed(page: Page[S], view: Callable[[S], T]) -> dict[str, Any]:
    """A page as a `Listed` takes it."""
    return {"items": [view(one) for one in page.items], "next": page.next}


def _through(one: Door, values: dict[str, Any]) -> Response:
    if not one.public:
        values["by"] = _person()
        access.check(request.endpoint)
        limits.spend(one.limit, f"person:{values['by'].id}")
    handed = _body(one)
    if one.reads == "model" and one.takes is not None:
        values["body"] = _valid(one.takes, handed)
    elif one.reads != "model":
        values["body"] = handed
    if one.asks is not None:
        values["query"] = _valid(one.asks, _query(one.asks))
    again = _again(one, values, handed)
    if one.think is not None:
        values["ready"] = one.think(**values)
    if one.within == "nothing":
        made = one.view(**values)
        return _answer(one.status, made) if isinstance(made, Iterator) else _answer(*_rendered(one, made))
    with db.transaction(read_only=one.within == "read"):
        if again is None:
            return _answer(*_rendered(one, one.view(**values)))
        kept = idempotency.answered(again)
        if kept is not None:
            return _answer(kept.status, kept.body)
        status, text = _rendered(one, one.view(**values))
        idempotency.keep(again, status, text)
    return _answer(status, text)


def _person() -> User:
    if not current_user.is_authenticated:
        limits.spend("stranger", limits.address(request.remote_addr))
        raise SignedOut("This needs a token of yours: send “Authorization: Bearer …”.")
    user: User = current_user._get_current_object()
    return user


def _body(one: Door) -> Any:
    if one.takes is None:
        return None
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise WrongKind("A body is sent as it is, not packed.")
    raw = request.get_data(cache=False)
    if one.reads == "bytes":
        return raw
    if not raw:
        return {}
    if request.mimetype != "application/json" or request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise WrongKind("A body is JSON in UTF-8: send “Content-Type: application/json”.")
    try:
        return loads(raw)
    except BadPost as error:
        raise Unreadable(f"The body can't be read: {error}.") from None


def _query(model: type[Asked]) -> dict[str, str]:
    found = {}
    for name, field in model.model_fields.items():
        given = request.args.getlist(field.alias or name)
        if len(given) > 1:
            raise Invalid("Ask for one value only.", field=field.alias or name)
        if given:
            found[field.alias or name] = given[0]
    return found


def _valid(model: type[BaseModel], handed: Any) -> Any:
    try:
        return model.model_validate(handed)
    except ValidationError as error:
        found = [
            {"field": ".".join(str(part) for part in each["loc"]), "message": each["msg"], "kind": each["type"]}
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ][:20]
    if not isinstance(handed, dict):
        raise Invalid("The body is one JSON object.")
    lacking = [each for each in found if each["kind"] == "missing"]
    first = (lacking or found)[0]
    errors = [{"field": each["field"], "message": each["message"]} for each in found]
    if lacking:
        raise Missing(f"“{first['field']}” is missing.", field=first["field"], errors=errors)
    raise Invalid(f"“{first['field']}” can't be used: {first['message']}.", field=first["field"], errors=errors)


_KEY = re.compile(rf"[\x21-\x7e]{{1,{idempotency.KEY_LIMIT}}}")


def _again(one: Door, values: dict[str, Any], handed: Any) -> idempotency.Request | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or not one.keyed or one.public:
        return None
    if not _KEY.fullmatch(key):
        raise Unreadable(f"An Idempotency-Key has 1 to {idempotency.KEY_LIMIT} visible ASCII characters.", field="Idempotency-Key")
    return idempotency.Request.of(values["by"].id, key, one.method, request.path, json.dumps(handed, sort_keys=True))


def _rendered(one: Door, made: Any) -> tuple[int, str]:
    status = one.status
    if isinstance(made, tuple):
        made, status = made
    if made is None:
        return HTTPStatus.NO_CONTENT, ""
    if one.gives is None:
        raise TypeError(f"{one.name} says nothing of an answer with words")
    # One shape per operation: what is not in it cannot slip out.
    return status, one.gives.model_validate(made).model_dump_json()


def _answer(status: int, text: str | Iterator[str]) -> Response:
    """`text` in pieces is sent as it is made; what it holds is its maker's to know."""
    response = Response(text, status, mimetype="application/json")
    if status == HTTPStatus.NO_CONTENT:
        del response.headers["Content-Type"]
    response.headers["Cache-Control"] = "no-store"
    return response
