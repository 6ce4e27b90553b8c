"""How values of the domain become columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from planner.access import Permission
from planner.domain import Address
from planner.errors import StorageError
from planner.handoffs.domain import BantAnswer, BeforeReports, HandoffState, Side
from routing.gazetteer import Candidate
from routing.geo import LatLon


class Json(TypeDecorator[Any]):
    """A value of the domain as JSON; NULL for None."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self.to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self.from_json(value)

    def to_json(self, value: Any) -> Any:
        return dict(value)

    def from_json(self, value: Any) -> Any:
        return value


class AddressJson(Json):
    cache_ok = True

    def to_json(self, value: Address) -> Any:
        return asdict(value)

    def from_json(self, value: Any) -> Address:
        return Address(**value)


class SetJson(Json):
    cache_ok = True

    def to_json(self, value: frozenset[Any]) -> Any:
        return sorted(value)

    def from_json(self, value: Any) -> frozenset[Any]:
        return frozenset(value)


class TimesJson(Json):
    cache_ok = True

    def to_json(self, value: tuple[time, ...]) -> Any:
        return [moment.isoformat() for moment in value]

    def from_json(self, value: Any) -> tuple[time, ...]:
        return tuple(map(time.fromisoformat, value))


class ListJson(Json):
    cache_ok = True

    def to_json(self, value: tuple[Any, ...]) -> Any:
        return list(value)

    def from_json(self, value: Any) -> tuple[Any, ...]:
        return tuple(value)


class PermissionsJson(SetJson):
    cache_ok = True

    def from_json(self, value: Any) -> frozenset[Any]:
        return frozenset(map(Permission, value))


class CandidatesJson(Json):
    cache_ok = True

    def to_json(self, value: tuple[Candidate, ...]) -> Any:
        return [asdict(candidate) for candidate in value]

    def from_json(self, value: Any) -> tuple[Candidate, ...]:
        return tuple(Candidate(**{**candidate, "place": LatLon(**candidate["place"])}) for candidate in value)


class BantJson(Json):
    cache_ok = True

    def to_json(self, value: Mapping[str, BantAnswer]) -> Any:
        return {
            question: asdict(answer)
            | {"said_on": answer.said_on and str(answer.said_on), "written_at": answer.written_at.isoformat()}
            for question, answer in value.items()
        }

    def from_json(self, value: Any) -> Mapping[str, BantAnswer]:
        return {
            question: BantAnswer(
                **answer
                | {
                    "said_on": answer["said_on"] and date.fromisoformat(answer["said_on"]),
                    "written_at": datetime.fromisoformat(answer["written_at"]),
                }
            )
            for question, answer in value.items()
        }


class BeforeJson(Json):
    cache_ok = True

    def to_json(self, value: BeforeReports) -> Any:
        return asdict(value) | {"since": value.since and value.since.isoformat()}

    def from_json(self, value: Any) -> BeforeReports:
        return BeforeReports(
            **value
            | {
                "state": HandoffState(value["state"]),
                "side": Side(value["side"]),
                "since": value["since"] and datetime.fromisoformat(value["since"]),
                "reports": tuple(value["reports"]),
                "promises": tuple(value["promises"]),
            }
        )


class Utc(TypeDecorator[datetime]):
    """An instant, aware and in UTC on the Python side; SQLite keeps no zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise StorageError(f"{value} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Enum(TypeDecorator[StrEnum]):
    """A StrEnum as its text."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, cls: type[StrEnum]) -> None:
        super().__init__()
        self.cls = cls

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else str(self.cls(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.cls(value)
