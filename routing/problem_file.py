"""A problem as a file that other solvers can read, and their routes as a file that is judged: docs/problem-format.md.

Reading believes nothing: whatever is not as the format says is refused with the record and the field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, NoReturn

from routing.errors import InstanceError, ProblemError
from routing.problem import MAX_TIME_S, Break, Job, Lodging, Problem, Shift, Spacing, TimeWindow
from routing.solution import Solution
from routing.traffic import Change

FORMAT = "fieldvisit-problem/1"
MOST_CHARACTERS = 1_000_000_000
MOST_PLACES = 10_000
MOST_RECORDS = 100_000
MOST = 2_000_000_000
"""The largest number that any field may have, so that 32 bits hold it."""
MOST_DIGITS, HUGE = 100, int("9" * 100)
LONGEST_NAME = 500

Sequences = dict[str, tuple[str, ...]]
"""Ids of shifts -> ids of their jobs, in order."""
Nights = dict[str, str]
"""Ids of shifts -> ids of the lodgings at which the nights after them are spent."""


def write_problem(problem: Problem) -> str:
    """A problem as JSON: what is as it is by default is left out, and a matrix has a line for each row."""
    parts = [f' "format": {_json(FORMAT)}']
    for name, records in (
        ("jobs", problem.jobs),
        ("shifts", problem.shifts),
        ("spacings", problem.spacings),
        ("lodgings", problem.lodgings),
        ("traffic", problem.traffic),
    ):
        if records or name in ("jobs", "shifts"):
            parts.append(f' "{name}": {_lines([_json(_record(record)) for record in records])}')
    parts += [f' "{name}": {_matrix(getattr(problem, name))}' for name in ("seconds", "metres")]
    if problem.tables:
        parts.append(f' "tables": {_lines([_matrix(table) for table in problem.tables])}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _lines(rows: Sequence[str]) -> str:
    return "[\n  " + ",\n  ".join(rows) + "\n ]" if rows else "[]"


def _matrix(matrix: Sequence[Sequence[int]]) -> str:
    return _lines([_json([int(value) for value in row]) for row in matrix])


def _record(record: object) -> dict[str, object]:
    """The fields of a record that are not as they are by default."""
    named = {each.name: (getattr(record, each.name), each.default) for each in fields(record)}  # type: ignore[arg-type]
    return {name.rstrip("_"): _plain(value) for name, (value, usual) in named.items() if value != usual}


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, TimeWindow):
        return [value.start_s, value.end_s]
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return _record(value) if isinstance(value, Break) else value


def read_problem(text: str, name: str) -> Problem:
    """The problem of a file's text; what `write_problem` wrote gives an equal one.

    Raises:
        InstanceError: it is not in this format, or contradicts itself; names the file, the record and the field.
    """
    top = _object(_parsed(text, name), name)
    if top.get("format") != FORMAT:
        raise InstanceError(f"{name}: format is {_shown(top.get('format'))}, not {FORMAT!r}")
    _keys(top, name, {"format", "jobs", "shifts", "seconds", "metres"}, {"spacings", "lodgings", "tables", "traffic"})

    def records(key: str, kind: type[Any]) -> tuple[Any, ...]:
        given = _list(top.get(key, []), f"{name}: {key}", MOST_RECORDS)
        return tuple(_built(kind, each, f"{name}: {key}[{k}]") for k, each in enumerate(given))

    try:
        return Problem(
            records("jobs", Job),
            records("shifts", Shift),
            _square(top["seconds"], f"{name}: seconds", MAX_TIME_S),
            _square(top["metres"], f"{name}: metres", MOST),
            records("spacings", Spacing),
            records("lodgings", Lodging),
            tuple(
                _square(table, f"{name}: tables[{k}]", MAX_TIME_S)
                for k, table in enumerate(_list(top.get("tables", []), f"{name}: tables", 100))
            ),
            records("traffic", Change),
        )
    except ProblemError as error:
        raise InstanceError(f"{name}: {error}") from error


def read_sequences(text: str, name: str) -> tuple[Sequences, Nights]:
    """Another solver's routes: {"routes": [{"shift": …, "jobs": […], "lodging_after": …}, …]}; what else stands there
    is not looked at.

    Raises:
        InstanceError: it is not in this format; names the file, the route and the field.
    """
    top = _object(_parsed(text, name), name)
    sequences: Sequences = {}
    nights: Nights = {}
    for k, given in enumerate(_list(top.get("routes"), f"{name}: routes", MOST_RECORDS)):
        where = f"{name}: routes[{k}]"
        route = _object(given, where)
        shift = _name(route.get("shift"), f"{where}: shift")
        if shift in sequences:
            raise InstanceError(f"{where}: shift {shift} has a route already")
        sequences[shift] = tuple(
            _name(id_, f"{where}: jobs[{n}]")
            for n, id_ in enumerate(_list(route.get("jobs"), f"{where}: jobs", MOST_RECORDS))
        )
        if route.get("lodging_after") is not None:
            nights[shift] = _name(route["lodging_after"], f"{where}: lodging_after")
    return sequences, nights


def routes_of(solution: Solution) -> list[dict[str, object]]:
    """A solution's routes as `read_sequences` reads them, and their times."""
    return [
        {
            "shift": route.shift,
            "jobs": list(route.jobs),
            **({"lodging_after": route.lodging_after} if route.lodging_after else {}),
            "depart_s": route.depart_s,
            "begin_s": [step.begin_s for step in route.steps],
            "break_start_s": route.break_start_s,
            "return_s": route.return_s,
        }
        for route in solution.routes
    ]


def _parsed(text: str, name: str) -> object:
    if len(text) > MOST_CHARACTERS:
        raise InstanceError(f"{name}: {len(text):,} characters are more than a problem has")

    def parsed(parse_int: Callable[[str], int] | None = None) -> object:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=parse_int)

    try:
        try:
            return parsed()
        except ValueError:  # perhaps a number of thousands of digits; to look at each takes longer
            return parsed(_capped)
    except RecursionError as error:
        raise InstanceError(f"{name}: brackets within brackets, more than any problem has") from error
    except ValueError as error:
        raise InstanceError(f"{name}: is not JSON: {str(error)[:200]}") from error


def _capped(digits: str) -> int:
    """A number that is larger than any that we know, for one that Python does not read; its field refuses it."""
    if len(digits) <= MOST_DIGITS:
        return int(digits)
    return -HUGE if digits.startswith("-") else HUGE


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for k, (key, _) in enumerate(pairs) if key in dict(pairs[:k]))
        raise ValueError(f"{twice[:40]!r} stands twice in one object")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _built(kind: type[Any], given: object, where: str) -> Any:
    """A record from its object, each field read as its type says."""
    record = _object(given, where)
    named = {each.name.rstrip("_"): each for each in fields(kind)}
    needed = {key for key, each in named.items() if each.default is MISSING}
    if isinstance(record.get("id"), str):
        id_ = record["id"][:40]
        where = f"{where} ({id_ if id_.isprintable() else ascii(id_)})"
    _keys(record, where, needed, named.keys() - needed)
    values = {
        named[key].name: _READERS[str(named[key].type)](value, f"{where}: {key}") for key, value in record.items()
    }
    try:
        return kind(**values)
    except ProblemError as error:
        raise InstanceError(f"{where}: {error}") from error


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InstanceError(f"{where}: is {_shown(value)}, not an object")
    return value


def _keys(record: Mapping[str, object], where: str, needed: set[str], possible: set[str]) -> None:
    for key in sorted(needed - record.keys()):
        raise InstanceError(f"{where}: {key} is missing")
    for key in sorted(record.keys() - needed - possible):
        raise InstanceError(f"{where}: there is no field {key[:40]!r}")


def _list(value: object, where: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise InstanceError(f"{where}: is {_shown(value)}, not a list")
    if len(value) > most:
        raise InstanceError(f"{where}: has {len(value):,} entries, more than {most:,}")
    return value


def _whole(value: object, where: str, most: int = MOST) -> int:
    if type(value) is not int:
        raise InstanceError(f"{where}: is {_shown(value)}, not a whole number")
    if not -1 <= value <= most:
        raise InstanceError(f"{where}: is {_shown(value)}, not between -1 and {most}")
    return value


def _name(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InstanceError(f"{where}: is {_shown(value)}, not a text")
    if not 0 < len(value) <= LONGEST_NAME or any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise InstanceError(f"{where}: {_shown(value)} is empty, too long, or holds characters that no text has")
    return value


def _names(value: object, where: str) -> frozenset[str]:
    return frozenset(_name(each, f"{where}[{k}]") for k, each in enumerate(_list(value, where, MOST_RECORDS)))


def _windows(value: object, where: str) -> tuple[TimeWindow, ...]:
    return tuple(_window(each, f"{where}[{k}]") for k, each in enumerate(_list(value, where, MOST_RECORDS)))


def _window(value: object, where: str) -> TimeWindow:
    bounds = _list(value, where, 2)
    if len(bounds) != 2:
        raise InstanceError(f"{where}: is {_shown(value)}, not a start and an end")
    start_s, end_s = (_whole(bound, where) for bound in bounds)
    try:
        return TimeWindow(start_s, end_s)
    except ProblemError as error:
        raise InstanceError(f"{where}: {error}") from error


def _square(value: object, where: str, most: int) -> list[list[int]]:
    rows = _list(value, where, MOST_PLACES)
    for k, row in enumerate(rows):
        if len(_list(row, f"{where}[{k}]", MOST_PLACES)) != len(rows):
            raise InstanceError(f"{where}[{k}]: has {len(row):,} entries, where the matrix has {len(rows):,} rows")
        if set(map(type, row)) - {int} or min(row) < -1 or max(row) > most:
            for n, entry in enumerate(row):
                _whole(entry, f"{where}[{k}][{n}]", most)
    return rows


def _shown(value: object) -> str:
    if isinstance(value, int) and not -(10**30) < value < 10**30:
        return "a huge number"
    shown = {dict: "an object", list: "a list", bool: str(value).lower(), type(None): "nothing"}.get(type(value))
    return shown or repr(value)[:60]


_Reader = Callable[[object, str], object]


def _or_none(reader: _Reader) -> _Reader:
    return lambda value, where: None if value is None else reader(value, where)


_READERS: Mapping[str, _Reader] = {
    "str": _name,
    "str | None": _or_none(_name),
    "int": _whole,
    "int | None": _or_none(_whole),
    "frozenset[str]": _names,
    "frozenset[str] | None": _or_none(_names),
    "tuple[TimeWindow, ...]": _windows,
    "Break | None": _or_none(lambda value, where: _built(Break, value, where)),
}
"""How a field is read, by the type that its record gives it."""
