"""What a phone in the field asks and sends: the rep's days, events, and what a wish would make of a day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, cast

from flask import Response, request
from pydantic import BaseModel, Field, WithJsonSchema

from planner.access import Permission, Role, Scope
from planner.errors import NotFoundError
from planner.fieldwork.bodies import SentEvent
from planner.fieldwork.domain import MAX_ID, EventKind
from planner.fieldwork.phone import MOST_DAYS, Asking, PhoneDocument, phone_document, phone_scope
from planner.fieldwork.phone.document import PhoneDay
from planner.fieldwork.taking import REFUSED, Taken, take
from planner.fieldwork.whose import Whose
from planner.replanning.domain import MOST_LATE_MINUTES, Preview, Wish
from planner.replanning.previewing import preview
from planner.repository import UnitOfWork
from routing.area import Area
from webui.api.bookings import Number, Truth
from webui.api.operation import OwnWrite, Reply, operation, store
from webui.api.plans import RepDayDocument
from webui.api.problems import FieldError, Problem, unreadable
from webui.api.reading import JSON, read_json
from webui.api.records import area_named
from webui.api.rep_days import day_named
from webui.api.values import Day, Model, Moment, model_of
from webui.pages.opportunity import team_of
from webui.pages.plans import now, settings, sources
from webui.policy import allow, viewer

MOST_EVENTS = 200
USUAL_DAYS = 7
MOST_BEFORE = 7

VisitId = Annotated[str, Field(max_length=MAX_ID, examples=["account:A1"])]


class FieldDocument(PhoneDocument):
    """All that a rep's phone has to know. `csrf` goes with what a browser sends; with a token it is empty."""

    csrf: str


FieldDocumentBody: type[BaseModel] = model_of(FieldDocument)


class FieldQuery(Model):
    """Which days are asked for."""

    first_day: Annotated[Day | None, Field(alias="from", description="The first day; today where the rep is.")] = None
    days: Annotated[int, Number, Field(ge=1, le=MOST_DAYS, description="So many days, one after the other.")] = (
        USUAL_DAYS
    )
    before: Annotated[
        int, Number, Field(ge=0, le=MOST_BEFORE, description="So many days before them as well, without their roads.")
    ] = 0


def _as_it_is(description: str, *examples: Any) -> WithJsonSchema:
    """A value that is read event by event: one that makes no sense must not keep the others from being taken."""
    return WithJsonSchema({"description": description, "examples": list(examples)})


class EventSent(Model):
    """One thing that a rep did or said on a phone."""

    id: Annotated[
        Any, _as_it_is("A new UUID: sent again, it is the same event.", "4a1e7d2c-8a53-4c1e-9b0e-2f6a5d1c7b10")
    ] = None
    rep_id: Annotated[Any, _as_it_is("Whose day it is about.", "ann")] = None
    day: Annotated[Any, _as_it_is("YYYY-MM-DD.", "2026-11-30")] = None
    visit_id: Annotated[Any, _as_it_is("Which visit of it; empty for what is about the whole day.", "account:A1")] = ""
    kind: Annotated[
        Any, _as_it_is(f"One of {', '.join(f'`{kind}`' for kind in EventKind)}.", "arrived", "reported")
    ] = None
    made_at: Annotated[
        Any, _as_it_is("By the phone's clock, with its offset from UTC.", "2026-11-30T09:14:03+02:00")
    ] = None
    base: Annotated[Any, _as_it_is("The `revision` of the day that the phone showed.", 0)] = None
    body: Annotated[
        Any,
        _as_it_is(
            "What else is said; docs/api.md has it for each kind.",
            {"lat": 60.1640, "lon": 24.9520, "accuracy_m": 12},
            {"disposition": "met", "text": "Wants a quote", "at_customer": True},
        ),
    ] = None


class EventsSent(Model):
    """What a phone has to say, in any order."""

    events: Annotated[list[EventSent], Field(min_length=1, max_length=MOST_EVENTS)]


class EventTaken(Model):
    """What became of an event."""

    id: str
    outcome: Annotated[
        str,
        Field(
            description="`taken`; `conflict`: kept, and it did not do all that it was meant to; `settled`: such a one, "
            "and the person has seen it; `refused`: it makes no sense and is not kept, sending it again does not help."
        ),
    ]
    message: Annotated[str, Field(description="What became of it, for the person.")]
    field: Annotated[str, Field(description="Of one that is refused: what makes no sense, as `body.lat`.")]


class EventsTaken(Model):
    """What became of each event, in the order in which they were sent."""

    events: list[EventTaken]


class RepairQuery(Model):
    """What the rep wishes. Which parameters go with a kind is in docs/api.md."""

    kind: Annotated[
        Literal["late", "cancelled", "skipped", "restored", "added", "sick", "finish", "order"],
        Field(description="As of the event."),
    ]
    visit_id: VisitId = ""
    why: Annotated[str, Field(max_length=MAX_ID)] = ""
    minutes: Annotated[
        int | None, Number, Field(ge=0, le=MOST_LATE_MINUTES, description="How much later than the day says now.")
    ] = None
    leave_at: Annotated[Moment | None, Field(description="In place of `minutes`: when the rep can leave.")] = None
    after: Annotated[
        str | None, Field(max_length=MAX_ID, description="The visit that the rep is at or has made last.")
    ] = None
    finish_by: Annotated[Moment | None, Field(description="null is the working hours' end.")] = None
    sick: Annotated[bool, Truth, Field(description="false: the rep can work after all.")] = True
    order: Annotated[
        str, Field(max_length=20_000, description="Visit ids as a JSON list.", examples=['["account:A2","account:A1"]'])
    ] = ""


class StatementRecord(Model):
    """What is sent for the wish to come true: an event without its id and time."""

    kind: str
    visit_id: str
    body: dict[str, Any]


class LeftOutRecord(Model):
    """A visit that was to be made on this day, and would not be."""

    visit_id: str
    name: str
    address: str
    why: str


class CallRecord(Model):
    """A promise that cannot be kept: who is to be called."""

    visit_id: str
    name: str
    address: str
    booking_id: Annotated[str, Field(description="Empty for what was agreed elsewhere.")]
    contact: str
    phone: str
    email: str
    start: Moment
    end: Moment
    promised: str
    expected: Annotated[Moment | None, Field(description="When the visit would begin; null where it would not.")]
    why: str


class BrokenRuleRecord(Model):
    """A rule that the day would break: which, where and when."""

    rule: str
    visit_id: str
    at: Moment | None
    message: str


class RepairPreview(Model):
    """What would come of a wish. Nothing is changed by asking; sending the statements as events makes it come true."""

    base: Annotated[int, Field(description="The revision of the day that it was worked out on.")]
    before: RepDayDocument | None  # type: ignore[valid-type]
    after: RepDayDocument | None  # type: ignore[valid-type]
    statements: list[StatementRecord]
    left_out: list[LeftOutRecord]
    to_call: list[CallRecord]
    broken: list[BrokenRuleRecord]
    moved: Annotated[int, Field(description="How many of the stops that are left would be done in another order.")]
    drive_s_won: Annotated[int, Field(description="Seconds less of driving; negative where it is more.")]
    home_s_won: Annotated[int, Field(description="Seconds earlier at home; negative where it is later.")]
    sentence: str

    @classmethod
    def shown(cls, found: Preview) -> RepairPreview:
        return cls.of(
            found,
            before=found.before and RepDayDocument.model_validate(found.before),
            after=found.after and RepDayDocument.model_validate(found.after),
            statements=[
                StatementRecord.of(each, kind=str(each.kind), body=dict(each.body)) for each in found.statements
            ],
            left_out=[LeftOutRecord.of(each) for each in found.left_out],
            to_call=[CallRecord.of(each) for each in found.to_call],
            broken=[BrokenRuleRecord.of(each) for each in found.broken],
        )


@operation("GET", "/areas/<area>/field/<anything:rep_id>", {200: FieldDocumentBody, 304: ""}, tag="field")
@allow(Permission.REPORT)
def get_field_document(area: str, rep_id: str, query: FieldQuery) -> Response:
    """All that a rep's phone has to know to work without a signal.

    Days with stops, reasons, promises, contacts and roads; customers who could be visited besides; conflicts that wait
    for the person. With `If-None-Match`, 304 where nothing of it has changed; `generated_at` does not count.
    """
    here = area_named(area)
    scope = phone_scope(viewer().scope, here.name, rep_id)
    team, asking = team_of(here), viewer()
    with store().read(scope) as unit:
        made = phone_document(
            unit,
            here.name,
            rep_id,
            query.first_day,
            query.days,
            Asking(
                user={"id": asking.user.id, "name": asking.user.name},
                is_rep=asking.user.role is Role.FIELD_REP,
                names=team.names,
                work_days=team.work_days,
                zone=team.zone,
            ),
            settings(),
            now(),
            query.before,
        )
    for day in made["days"][query.before :]:
        day["roads"] = _roads(here, day)
    document = FieldDocument(**made, csrf=asking.session.csrf if asking.session else "")
    lasting = json.dumps({**document, "generated_at": ""}).encode()
    response = Response(json.dumps(document, ensure_ascii=False, separators=(",", ":")), mimetype=JSON)
    response.set_etag(hashlib.sha256(lasting).hexdigest()[:32], weak=True)
    response.make_conditional(request)
    return response


@operation("POST", "/areas/<area>/field-events", {200: EventsTaken}, tag="field")
@allow(Permission.REPORT)
def send_field_events(area: str, body: EventsSent) -> OwnWrite:
    """Take what phones have to say: check-ins, visit reports, and statements about the rest of a day.

    Each event is stored once under its own id, whatever the order, and however often and late it comes; each has its
    outcome. One about a rep who is not yours is refused; where all are, the answer is 404.
    """
    here, asking = area_named(area).name, viewer()
    sent = [SentEvent(**event.model_dump()) for event in body.events]
    strangers = _strangers(here, sent)
    theirs = [each for number, each in enumerate(sent) if number not in strangers]

    def write(kept: Callable[[UnitOfWork, Reply], None]) -> None:
        def also(unit: UnitOfWork, taken: Sequence[Taken]) -> None:
            became = iter(taken)
            all_ = [strangers.get(number) or next(became) for number in range(len(sent))]
            kept(unit, Reply(EventsTaken(events=[EventTaken.of(each, outcome=str(each.outcome)) for each in all_])))

        take(store(), asking.actor, sources().agendas, here, theirs, settings(), now(), also)

    return OwnWrite(write)


def _strangers(area: str, sent: Sequence[SentEvent]) -> dict[int, Taken]:
    """By their numbers, the events about visits that are not and never were the rep's: nothing is told of those.

    Those about a rep who is not seen are for `take` to refuse.
    """
    found: dict[int, Taken] = {}
    for rep_id in dict.fromkeys(each.rep_id for each in sent if isinstance(each.rep_id, str)):
        try:
            scope = phone_scope(viewer().scope, area, rep_id)
        except NotFoundError:
            continue
        with store().read(scope) as unit:
            whose = Whose(unit, area, rep_id)
            for number, each in enumerate(sent):
                if each.rep_id == rep_id and (field := whose.stranger_in(each)):
                    found[number] = Taken(str(each.id)[:MAX_ID], REFUSED, "this is no visit of yours", field)
    return found


@operation("GET", "/areas/<area>/repairs/<day>/<anything:rep_id>", {200: RepairPreview}, tag="field", problems=(422,))
@allow(Permission.REPORT)
def preview_repair(area: str, day: str, rep_id: str, query: RepairQuery) -> Reply:
    """The rest of a rep's day as a wish would make it, mended with as few changes as possible.

    No promise that can be kept is moved; `to_call` has those that cannot, with whom to call.
    """
    known, on = area_named(area).name, day_named(day)
    order = _order(query.order)
    with store().read(phone_scope(viewer().scope, known, rep_id)) as unit:
        whose, adds = Whose(unit, known, rep_id), query.kind == "added"
        for id_ in (query.visit_id, query.after, *order):
            if id_ and not (whose.sees(id_) if adds else whose.has_or_had(on, id_)):
                raise NotFoundError(f"rep {rep_id} has no visit {id_} on {on}")
    wish = Wish(
        EventKind(query.kind),
        query.visit_id,
        query.why,
        query.minutes,
        query.leave_at,
        query.after,
        query.finish_by,
        order,
        query.sick,
    )
    # Days are made of the whole area's records; whose they are has been asked above.
    with store().read(Scope(area=known)) as unit:
        found = preview(unit, sources().agendas, known, rep_id, on, wish, settings(), now())
    return Reply(RepairPreview.shown(found))


def _order(text: str) -> tuple[str, ...]:
    value = _list_in(text) if text else []
    if not isinstance(value, list) or not all(isinstance(id_, str) for id_ in value):
        raise unreadable("The order is no list of visit ids.", FieldError("order", "is no JSON list of texts"))
    return tuple(value)


def _list_in(text: str) -> Any:
    try:
        return read_json(text.encode())
    except Problem as error:
        raise unreadable(error.detail, FieldError("order", "is no JSON list of texts")) from None


def _roads(area: Area, day: PhoneDay) -> list[list[list[float]]]:
    """The drive to each stop, in their order, and the way home; of a stop at the door of the last one no points."""
    places = [(place["lat"], place["lon"]) for place in (day["start"], *day["stops"], day["end"])]
    if not day["stops"] or None in places[0] or None in places[-1]:
        return []
    return sources().thin_roads(area, cast(list[tuple[float, float]], places))
