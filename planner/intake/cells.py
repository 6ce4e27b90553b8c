"""One text becomes one value. Every function takes the column's name first, for the error it may raise.

All raise InvalidRecordError with a message that says what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from planner.errors import InvalidRecordError

DateOrder = Literal["day first", "month first"]
DecimalMark = Literal[".", ","]

_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h]?(\d{2}))?(?::(\d{2})(?:[.,]\d+)?)?\s*([ap]m)?", re.IGNORECASE)
_MOMENT = re.compile(r"(\S+?)(?:[T\s]\s*(.+?)\s*(Z|[+-]\d{2}:?\d{2})?)?", re.IGNORECASE)
_WHOLE = re.compile(r"([+-]?\d{1,9})(?:[.,]0+)?")
_AMOUNT = re.compile(r"[+-]?(\d[\d.,]*|[.,]\d+)")
_IN_POWERS = re.compile(r"\d+([.,]\d+)?E[+-]?\d+", re.IGNORECASE)
_SYMBOL = "(?:[A-Z]{3}|[A-Z]{0,2}[$£¥€\u20a0-\u20cf￥￡])"
_CURRENCY = re.compile(rf"^{_SYMBOL}\s*|\s*{_SYMBOL}$")
_MAX_PHONE = 50
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ANSWERS = {
    **dict.fromkeys(("yes", "y", "true", "1"), "yes"),
    **dict.fromkeys(("no", "n", "false", "0", "none"), "no"),
    **dict.fromkeys(("", "unknown", "?", "-", "n/a", "tbd"), "unknown"),
}


def parse_identifier(column: str, text: str) -> str:
    """An id of 1 to 200 printable characters."""
    if not text:
        raise InvalidRecordError(column, "is empty")
    if len(text) > 200 or not text.isprintable():
        raise InvalidRecordError(column, "is longer than 200 characters or holds a line break or control character")
    return text


def date_order(texts: Iterable[str]) -> DateOrder | None:
    """How a column writes dates such as 30/11/2026: settled by those that can be read in one way only, else None."""
    matches = [match for text in texts if (match := _YEAR_LAST.match(text)) and match[2] != "."]
    day_first = any(int(match[1]) > 12 for match in matches)
    month_first = any(int(match[3]) > 12 for match in matches)
    if day_first == month_first:
        return None
    return "day first" if day_first else "month first"


def parse_date(column: str, text: str, order: DateOrder | None = None) -> date | None:
    """2026-11-30; 30.11.2026 (dots: always day first); 30/11/2026 in the column's order. A time after it is left out.

    03/04/2026 is refused where nothing in its column settles the order. Blank is None.
    """
    if not text:
        return None
    match = _MOMENT.fullmatch(text)
    return _date(column, match[1] if match else text, order)


def _date(column: str, text: str, order: DateOrder | None) -> date:
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day = map(int, match.groups())
    elif match := _YEAR_LAST.fullmatch(text):
        day, month, year = int(match[1]), int(match[3]), int(match[4])
        if match[2] != ".":
            clear = order or date_order([text])
            if not clear and day != month:
                raise InvalidRecordError(column, f"{text!r} can be read in two ways; write it as year-month-day")
            if clear == "month first":
                day, month = month, day
    else:
        raise InvalidRecordError(column, f"{text!r} is not a date such as 2026-11-30")
    try:
        result = date(year, month, day)
    except ValueError as error:
        raise InvalidRecordError(column, f"{text!r} is not in the calendar") from error
    if not 1900 <= year < 2200:
        raise InvalidRecordError(column, f"{text!r} is not between the years 1900 and 2200")
    return result


def parse_time(column: str, text: str) -> time:
    """9:00, 09:00, 0900, 9.00, 9am, 5:30 pm; 24-hour clock without am or pm. Seconds are left out."""
    match = _CLOCK.fullmatch(text)
    if match:
        hour, minute, half = int(match[1]), int(match[2] or 0), (match[4] or "").lower()
        if half and 1 <= hour <= 12:
            hour = hour % 12 + (12 if half == "pm" else 0)
            half = ""
        if hour < 24 and minute < 60 and not half:
            return time(hour, minute)
    raise InvalidRecordError(column, f"{text!r} is not a time such as 09:00" if text else "is empty")


def parse_time_range(column: str, text: str) -> tuple[time, time] | None:
    """11:30-14:00. Blank is None."""
    if not text:
        return None
    begin, dash, end = re.sub("[–—]", "-", text).partition("-")
    if not dash:
        raise InvalidRecordError(column, f"{text!r} is not a span such as 11:30-14:00")
    return parse_time(column, begin.strip()), parse_time(column, end.strip())


def parse_local_time(
    column: str, text: str, order: DateOrder | None = None, zone: ZoneInfo | None = None
) -> datetime | None:
    """A date and a time of day as wall-clock time in `zone`: 2026-11-30T09:00, 30.11.2026 9:00, 2026-11-30T08:00Z.

    A time with an offset from UTC is converted to the zone; a date alone is midnight. Blank is None. Refused: a time
    that the zone's clocks skip, and an offset while the zone is not known. Of the two times with one name in the night
    when clocks go back the first is meant.
    """
    if not text:
        return None
    match = _MOMENT.fullmatch(text)
    if not match:
        raise InvalidRecordError(column, f"{text!r} is not a date and time such as 2026-11-30T09:00")
    day, clock, offset = match.groups()
    local = datetime.combine(_date(column, day, order), parse_time(column, clock) if clock else time())
    if offset and not zone:
        raise InvalidRecordError(column, f"{text!r} has an offset from UTC, and no rep says which zone is local")
    if offset and zone:
        instant = local.replace(tzinfo=UTC) - _utc_offset(column, text, offset)
        return instant.astimezone(zone).replace(tzinfo=None, fold=0)
    if zone and local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise InvalidRecordError(column, f"{text!r} does not exist in {zone.key}: the clocks skip it")
    return local


def _utc_offset(column: str, text: str, offset: str) -> timedelta:
    if offset.upper() == "Z":
        return timedelta()
    size = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    if size > timedelta(hours=14):
        raise InvalidRecordError(column, f"{text!r} has no offset from UTC that is in use anywhere")
    return -size if offset[0] == "-" else size


def parse_weekdays(column: str, text: str) -> frozenset[int]:
    """Mo-Fr, Mon-Fri, Mo,We,Fr, Sa-Mo; names in English, two letters or more. Monday is 0."""
    days: set[int] = set()
    for part in re.split(r"[\s,;|]+", re.sub(r"\s*[-–—]\s*", "-", text.strip())):
        names = part.split("-")
        if not part or len(names) > 2:
            raise InvalidRecordError(
                column, f"{text!r} is not a list of weekdays such as Mo-Fr" if text else "is empty"
            )
        first, last = (_weekday(column, text, name) for name in (names[0], names[-1]))
        days.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    return frozenset(days)


def _weekday(column: str, text: str, name: str) -> int:
    for number, weekday in enumerate(_WEEKDAYS):
        if len(name) >= 2 and weekday.startswith(name.lower()):
            return number
    raise InvalidRecordError(column, f"{text!r} is not a list of weekdays such as Mo-Fr")


def parse_whole(column: str, text: str) -> int | None:
    """A whole number; 45.0 is 45. Blank is None."""
    if not text:
        return None
    match = _WHOLE.fullmatch(text)
    if not match:
        raise InvalidRecordError(column, f"{text!r} is not a whole number")
    return int(match[1])


def decimal_mark(texts: Iterable[str]) -> DecimalMark | None:
    """The decimal mark of a column of amounts, where those that can be read in one way only agree; else None.

    An amount tells when it holds both marks (the last is the decimal mark), one mark twice (that one groups), or one
    mark that cannot group: 12,50 and 0.125 do, 1,234 does not.
    """
    marks: set[str] = set()
    for text in texts:
        points, commas = text.count("."), text.count(",")
        if points and commas:
            marks.add(max(".,", key=text.rfind))
        elif points > 1 or commas > 1:
            marks.add("," if points else ".")
        elif (points or commas) and not re.search(r"(?<!\d)[1-9]\d{0,2}[.,]\d{3}(?!\d)", text):
            marks.add("." if points else ",")
    return "." if marks == {"."} else "," if marks == {","} else None


def parse_money(column: str, text: str, mark: DecimalMark | None = None) -> float:
    """1234.5, 1,234.50, 1.234,50, 1 234,50, € 500, 500 EUR; `mark` is the column's `decimal_mark`. Blank is 0.

    An amount that tells its own decimal mark is read by it; 1,234 and 1.234 are read by the column's, and where the
    column does not tell either, three digits after a single mark are thousands.
    """
    if not text:
        return 0.0
    amount = re.sub(r"(?<=\d)[\s'’](?=\d{3})", "", _CURRENCY.sub("", text, count=1).strip())
    if not _AMOUNT.fullmatch(amount) or len(amount) > 30:
        raise InvalidRecordError(column, f"{text!r} is not an amount of money")
    decimal = decimal_mark([amount]) or mark or ("." if "," in amount else ",")
    whole, _, fraction = amount.partition(decimal)
    group = "," if decimal == "." else "."
    grouped_well = group not in whole or re.fullmatch(rf"[+-]?\d{{1,3}}(\{group}\d{{3}})+", whole)
    if not grouped_well or not f"0{fraction}".isdigit():
        raise InvalidRecordError(column, f"{text!r} is not an amount of money")
    return float(f"{whole.replace(group, '') or 0}.{fraction or 0}")


def parse_share(column: str, text: str) -> float:
    """A probability: 0.2, 0,2 or 20 %. Blank is 0."""
    if not text:
        return 0.0
    match = re.fullmatch(r"(\d{1,3}(?:[.,]\d{1,12})?|[.,]\d{1,12})\s*(%?)", text)
    if not match:
        raise InvalidRecordError(column, f"{text!r} is not a share such as 0.2 or 20 %")
    number = float(match[1].replace(",", "."))
    return number / 100 if match[2] else number


def parse_answer(column: str, text: str) -> str:
    """yes, no or unknown: y, true, 1; n, false, 0, none; blank, ?, -, n/a, tbd."""
    answer = _ANSWERS.get(text.lower())
    if answer is None:
        raise InvalidRecordError(column, f"{text!r} is not yes, no or unknown")
    return answer


def parse_yes_no(column: str, text: str) -> bool:
    """Yes or no by the words that `parse_answer` knows for them. Blank is no."""
    answer = _ANSWERS.get(text.lower()) if text else "no"
    if answer not in ("yes", "no"):
        raise InvalidRecordError(column, f"{text!r} is not yes or no")
    return answer == "yes"


def parse_timeline(text: str) -> str:
    """A phrase such as "this quarter", or no or unknown by the words that `parse_answer` knows for them."""
    answer = _ANSWERS.get(text.lower(), "yes")
    return text if answer == "yes" else answer


def parse_phone(column: str, text: str) -> str:
    """A phone number as people write it: +358 40 123 4567, (01633) 960 001 ext. 12, three digits or more."""
    text = text.strip()
    if len(text) > _MAX_PHONE:
        raise InvalidRecordError(column, f"is {len(text):,} characters long, at most {_MAX_PHONE} are kept")
    if _IN_POWERS.fullmatch(text):
        raise InvalidRecordError(column, f"{text!r} is a number cut short by a spreadsheet: make its column text there")
    if text and (sum(map(str.isdecimal, text)) < 3 or not text.isprintable()):
        raise InvalidRecordError(column, f"{text!r} is not a phone number")
    return text


def parse_skills(text: str) -> frozenset[str]:
    """Skills separated by semicolon, comma or bar; upper and lower case do not differ."""
    return frozenset(skill.strip().lower() for skill in re.split("[;,|]", text) if skill.strip())
