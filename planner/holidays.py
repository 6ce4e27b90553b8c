"""Public holidays, on which nobody is visited: the only module that knows the holidays package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache


def list_supported_countries() -> Mapping[str, Sequence[str]]:
    """The subdivisions of each country whose public holidays are known, by ISO 3166 codes."""
    import holidays  # the package is large, and most installations start without a country

    return holidays.list_supported_countries()


@lru_cache(maxsize=16)
def holiday_names(country: str, subdivision: str, year: int) -> Mapping[date, str]:
    """The public holidays of a year, by day; none without a country."""
    if not country:
        return {}
    import holidays

    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


def holiday_name(country: str, subdivision: str, day: date) -> str:
    """What a day is called that is a public holiday; empty for any other day."""
    return holiday_names(country, subdivision, day.year).get(day, "")
