"""The kinds of value that the API's models are made of."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, create_model

from planner import plan_document
from planner.domain import MAX_TEXT

M = TypeVar("M", bound=BaseModel)


class Model(BaseModel):
    """A document of the API: nothing in it is guessed, and a field that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def of(cls: type[M], value: object, **others: Any) -> M:
        """Filled from an object's attributes of the same names, and from `others`.

        Nothing is checked: what is in the store has been, and an answer must not fail because a limit has moved since.
        """
        names = cls.model_fields.keys() - others.keys()
        return cls.model_construct(**{name: getattr(value, name) for name in names}, **others)


def _shaped(pattern: str, example: str) -> BeforeValidator:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: object) -> object:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(f"is not written like {example}")
        return value

    return BeforeValidator(check)


def _within_centuries(value: object) -> object:
    if isinstance(value, str) and not "1900" <= value[:4] < "2200":
        raise ValueError("is not between the years 1900 and 2200")
    return value


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Text = Annotated[str, Field(max_length=MAX_TEXT)]
Phone = Annotated[
    str,
    Field(max_length=50, description="As people write it: three digits or more.", examples=["+44 1632 960 001"]),
]
Name = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Identifier = Annotated[str, Field(min_length=1, max_length=200)]
Day = Annotated[
    date,
    BeforeValidator(_within_centuries),
    _shaped(r"\d{4}-\d\d-\d\d", "2026-11-30"),
    Field(strict=False),
    Field(examples=["2026-11-30"]),
]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_within_centuries),
    _shaped(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6}\d*)?([Zz]|[+-]\d\d:\d\d)", "2026-11-30T09:00:00Z"),
    Field(strict=False),
    PlainSerializer(_utc),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-30T09:00:00Z"]),
]
"""An instant; written in UTC."""
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:00"])]
LocalTime = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
        examples=["2026-12-01T14:00"],
        description="Date and time of day by the clock at the place, without a zone.",
    ),
]
Minutes = Annotated[int, Field(ge=1, le=1440, description="Minutes.")]
Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False, description="Money, in the one currency in use.")]
Attributes = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=100)], Annotated[str, Field(max_length=20_000)]],
    Field(max_length=200, description="Whatever else is kept about it, by names of your own."),
]


class Place(Model):
    """A place on the map, WGS 84."""

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, description="Degrees north.")]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, description="Degrees east.")]


@cache
def model_of(hint: Any) -> Any:
    """A model of a TypedDict, as parts of plan.json and of the phone document are.

    (Before Python 3.12 pydantic refuses those of `typing`.)
    """
    if is_typeddict(hint):
        parts: dict[str, Any] = {name: (model_of(part), ...) for name, part in get_type_hints(hint).items()}
        parts |= {name: (parts[name][0] | None, None) for name in hint.__optional_keys__}
        name = f"{hint.__name__}InPlan" if hint.__module__ == plan_document.__name__ else hint.__name__
        return create_model(name, __doc__=hint.__doc__, **parts)
    if get_origin(hint) is list:
        return list[model_of(get_args(hint)[0])]  # type: ignore[misc]
    if get_origin(hint) is UnionType:  # there is no union in a plan but with None
        return model_of(get_args(hint)[0]) | None
    return hint
