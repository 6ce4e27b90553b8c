"""What the forms of a scenario ask for, each as a function from its changes to those that somebody wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from flask import request
from pydantic import BaseModel, Field

from planner.domain import Account, Address, Rep
from planner.errors import InvalidRecordError
from planner.intake.cells import parse_time
from planner.scenarios.changes import (
    MOST_CADENCE_DAYS,
    MOST_EVENNESS,
    MOST_LETTERS,
    MOST_MINUTES,
    Changes,
    Hours,
    NewRep,
    Prices,
)
from routing.area import Area
from routing.errors import RoutingError
from routing.gazetteer import Candidate, Verdict
from webui.forms import Form, read_form
from webui.pages.plans import sources

Edit = Callable[[Changes], Changes]


@dataclass(frozen=True)
class Wrong(Exception):
    """A form that makes no sense; `candidates` are places that the address could mean, for a person to choose from."""

    form: Form[Any]
    candidates: Sequence[Candidate] = ()


@dataclass(frozen=True)
class Known:
    """What an area's records are, for forms that name some of them."""

    reps: Sequence[Rep]
    accounts: Sequence[Account]


class _NewRepForm(BaseModel):
    rep_name: str = Field(min_length=1, max_length=MOST_LETTERS)
    rep_id: str = Field("", max_length=MOST_LETTERS)
    street: str = Field(min_length=1, max_length=MOST_LETTERS)
    city: str = Field("", max_length=MOST_LETTERS)
    postcode: str = Field("", max_length=MOST_LETTERS)
    work_start: str = Field(max_length=20)
    work_end: str = Field(max_length=20)
    break_minutes: int = Field(ge=0, le=600)
    candidate: int | None = None


class _HoursForm(BaseModel):
    rep: str = Field(max_length=MOST_LETTERS)
    work_start: str = Field(max_length=20)
    work_end: str = Field(max_length=20)


class _SegmentForm(BaseModel):
    segment: str = Field("", max_length=MOST_LETTERS)
    segment_days: int = Field(ge=1, le=MOST_CADENCE_DAYS)


class _CadenceForm(BaseModel):
    cadence_customer: str = Field(min_length=1, max_length=MOST_LETTERS)
    cadence_days: int = Field(ge=1, le=MOST_CADENCE_DAYS)


class _PinForm(BaseModel):
    pin_customer: str = Field(min_length=1, max_length=MOST_LETTERS)
    pin_rep: str = Field(min_length=1, max_length=MOST_LETTERS)


class _PricesForm(BaseModel):
    even: bool = False
    broken_minutes: float = Field(ge=0, le=MOST_MINUTES, allow_inf_nan=False)
    evenness: float = Field(ge=0, le=MOST_EVENNESS, allow_inf_nan=False)
    band: Literal["", "0", "0.1", "0.2"] = ""
    lie: Literal["", "loose", "near", "piece"] = ""


def edit_asked(area: Area, known: Known, does: str) -> Edit:
    """What the form that was sent wants changed. Raises Wrong."""
    form = _FORMS.get(does)
    return form(area, known) if form else _plain(does)


def _plain(does: str) -> Edit:
    """Forms of one button, which name a rep, an account or a segment."""
    rep, account, segment = (request.form.get(name, "")[:MOST_LETTERS] for name in ("rep", "account", "segment"))
    edits: Mapping[str, Edit] = {
        "leave": lambda now: replace(now, removed=now.removed | {rep}, hours=_without(now.hours, rep)),
        "stay": lambda now: replace(now, removed=now.removed - {rep}),
        "usual-hours": lambda now: replace(now, hours=_without(now.hours, rep)),
        "drop-rep": lambda now: replace(
            now,
            new_reps=tuple(new for new in now.new_reps if new.id != rep),
            pins={pinned: to for pinned, to in now.pins.items() if to != rep},
        ),
        "usual-segment": lambda now: replace(now, segments=_without(now.segments, segment)),
        "usual-cadence": lambda now: replace(now, accounts=_without(now.accounts, account)),
        "keep": lambda now: replace(now, pins={**now.pins, account: rep}),
        "unpin": lambda now: replace(now, pins=_without(now.pins, account)),
        "unpin-all": lambda now: replace(now, pins={}),
    }
    if does not in edits:
        raise Wrong(Form({}, errors={"": "Choose one of the buttons on this page."}))
    return edits[does]


def _without(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {known: value for known, value in values.items() if known != key}


def _prices(area: Area, known: Known) -> Edit:
    form = read_form(_PricesForm)
    if form.values is None:
        raise Wrong(form)
    typed = form.values

    def weighed(now: Changes) -> Changes:
        prices = replace(now.prices, broken_minutes=typed.broken_minutes, evenness=typed.evenness)
        if typed.band:
            prices = replace(prices, band=float(typed.band))
        if typed.lie:
            apart = 0.0 if typed.lie == "loose" else Prices().apart
            prices = replace(prices, one_piece=typed.lie == "piece", apart=apart)
        return replace(now, even=typed.even, prices=prices)

    return weighed


def _segment(area: Area, known: Known) -> Edit:
    form = read_form(_SegmentForm)
    if form.values is None:
        raise Wrong(form)
    typed = form.values
    return lambda now: replace(now, segments={**now.segments, typed.segment: typed.segment_days})


def _cadence(area: Area, known: Known) -> Edit:
    form = read_form(_CadenceForm)
    if form.values is None:
        raise Wrong(form)
    typed = form.values
    account = _account(known, form, "cadence_customer", typed.cadence_customer)
    return lambda now: replace(now, accounts={**now.accounts, account.id: typed.cadence_days})


def _pin(area: Area, known: Known) -> Edit:
    form = read_form(_PinForm)
    if form.values is None:
        raise Wrong(form)
    typed = form.values
    account = _account(known, form, "pin_customer", typed.pin_customer)
    return lambda now: replace(now, pins={**now.pins, account.id: typed.pin_rep})


def _account(known: Known, form: Form[Any], field: str, typed: str) -> Account:
    """The one customer of this id or name."""
    named = [account for account in known.accounts if account.id == typed]
    named = named or [account for account in known.accounts if account.name.casefold() == typed.casefold()]
    if not named:
        raise Wrong(Form(form.typed, errors={field: f"“{typed}” is neither the name nor the id of a customer"}))
    if len(named) > 1:
        ids = ", ".join(account.id for account in named[:5])
        raise Wrong(
            Form(form.typed, errors={field: f"there are {len(named)} of that name: type the id, such as {ids}"})
        )
    return named[0]


def _hours(area: Area, known: Known) -> Edit:
    form = read_form(_HoursForm)
    if form.values is None:
        raise Wrong(form)
    rep, hours = form.values.rep, _read_hours(form)

    def changed(now: Changes) -> Changes:
        if rep not in {new.id for new in now.new_reps}:
            return replace(now, hours={**now.hours, rep: hours}, removed=now.removed - {rep})
        return replace(now, new_reps=tuple(replace(new, hours=hours) if new.id == rep else new for new in now.new_reps))

    return changed


def _read_hours(form: Form[Any]) -> Hours:
    days = {int(day) for day in request.form.getlist("day")[:7] if day in set("0123456")}
    errors: dict[str, str] = {}
    times = {}
    for name in ("work_start", "work_end"):
        try:
            times[name] = parse_time(name, form.typed.get(name, "").strip())
        except InvalidRecordError as error:
            errors[name] = error.message
    if not errors and times["work_start"] >= times["work_end"]:
        errors["work_end"] = f"{times['work_end']:%H:%M} is not after {times['work_start']:%H:%M}"
    if not days:
        errors["day"] = "choose at least one day"
    if errors:
        raise Wrong(Form(form.typed, errors=errors))
    return Hours(frozenset(days), times["work_start"], times["work_end"])


def _add_rep(area: Area, known: Known) -> Edit:
    form = read_form(_NewRepForm)
    if form.values is None:
        raise Wrong(form)
    typed, hours = form.values, _read_hours(form)
    address = Address(typed.street, typed.city, typed.postcode)
    found = _found(area, form, address, typed.candidate)
    taken = {rep.id for rep in known.reps}
    if typed.rep_id in taken:
        raise Wrong(Form(form.typed, errors={"rep_id": "another rep has it"}))

    def added(now: Changes) -> Changes:
        used = taken | {new.id for new in now.new_reps}
        numbered = (f"new-{number}" for number in range(1, len(used) + 2))
        rep_id = typed.rep_id or next(each for each in numbered if each not in used)
        new = NewRep(rep_id, typed.rep_name, address, found.place, found.address, hours, typed.break_minutes)
        return replace(now, new_reps=(*now.new_reps, new))

    return added


def _found(area: Area, form: Form[Any], address: Address, chosen: int | None) -> Candidate:
    """Where an address is: by the area's own addresses, or as a person chose from what it could be. Raises Wrong."""
    try:
        result = sources().gazetteer(area).locate(address.street, address.city, address.postcode)
    except RoutingError as error:
        raise Wrong(Form(form.typed, errors={"street": f"cannot be looked up: {error}"})) from error
    if result.verdict is Verdict.MATCHED:
        return result.candidates[0]
    if result.verdict is Verdict.NOT_FOUND:
        said = f"is not known here: {result.reason} Write another one nearby, or latitude and longitude as the street"
        raise Wrong(Form(form.typed, errors={"street": said}))
    if chosen is not None and 1 <= chosen <= len(result.candidates):
        return result.candidates[chosen - 1]
    raise Wrong(Form(form.typed, errors={"street": "is not sure: choose below which one is meant"}), result.candidates)


_FORMS: Mapping[str, Callable[[Area, Known], Edit]] = {
    "prices": _prices,
    "segment": _segment,
    "cadence": _cadence,
    "pin": _pin,
    "hours": _hours,
    "add-rep": _add_rep,
}
