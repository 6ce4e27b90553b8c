"""Report templates: what a team asks after which visits, so that a report takes a few taps and no typing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from planner.domain import MAX_TEXT
from planner.errors import ConflictError, PlannerError
from planner.fieldwork.domain import Disposition, ReportTemplates
from planner.repository import UnitOfWork

MOST_TEMPLATES = 20
MOST_CHOICES = 20
MOST_LETTERS = 200

FOR = ("opportunity", "account", "both")
FIELDS = ("deal", "next_step", "next_step_on", "competitor", "concern", "severity", "reason", "text", "order_value")
"""What a template may ask for besides the disposition, which is always asked; in the order in which it is."""
OFFERED = ("competitor", "concern", "reason")
"""Fields for which a template may have a short list to tap on."""


class TemplateChoices(TypedDict):
    """Short lists to tap on; whatever else is typed is as good."""

    competitor: list[str]
    concern: list[str]
    reason: list[str]


_TemplateEntry = TypedDict("_TemplateEntry", {"for": str})
"""`for` is a keyword of Python, so this one field cannot stand in a class body."""


class TemplateEntry(_TemplateEntry):
    """A template as JSON. `for` is "opportunity", "account" or "both"; `disposition` is chosen already, or empty."""

    name: str
    disposition: str
    fields: list[str]
    required: list[str]
    choices: TemplateChoices
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """What is asked after a visit.

    Attributes:
        name: by which reports know it.
        fits: "opportunity", "account" or "both": after which visits it is offered.
        disposition: chosen already; None for none.
        fields: asked, in the order of FIELDS; required: those of them without which nothing is sent, where the visit
            took place.
        choices: by field, short lists to tap on.
        text: what stands in the free text already.
    """

    name: str
    fits: str
    disposition: Disposition | None = None
    fields: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""

    def as_json(self) -> TemplateEntry:
        """As `templates_of` reads it."""
        return {
            "name": self.name,
            "for": self.fits,
            "disposition": str(self.disposition or ""),
            "fields": list(self.fields),
            "required": list(self.required),
            "choices": {
                "competitor": list(self.choices.get("competitor", ())),
                "concern": list(self.choices.get("concern", ())),
                "reason": list(self.choices.get("reason", ())),
            },
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class TeamTemplates:
    """An area's templates in the order in which they are offered; `revision` is 0 while it has the usual ones."""

    revision: int
    templates: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class TemplateError:
    """What is wrong with one template, 1 and up (0: with all of them), and in which field, as `choices.concern`."""

    template: int
    field: str
    message: str

    def __str__(self) -> str:
        where = " ".join(filter(None, (f"template {self.template}" if self.template else "", self.field)))
        return f"{where}: {self.message}" if where else self.message


class TemplatesInvalidError(PlannerError):
    """Templates that make no sense; `errors` has everything that is wrong with them."""

    def __init__(self, errors: Sequence[TemplateError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = tuple(errors)


class TemplatesChangedError(ConflictError):
    """Somebody else has changed the templates since the writer saw them; `present` is what they are now."""

    def __init__(self, present: TeamTemplates) -> None:
        super().__init__("somebody else has changed these templates meanwhile")
        self.present = present


_CONCERNS = ("Price", "Timing", "Too much work to change", "Does not fit", "Somebody else decides")
_REASONS = ("Too expensive", "Bought elsewhere", "No need", "Not now", "Cannot decide")

USUAL_TEMPLATES = (
    Template(
        "First visit",
        "opportunity",
        Disposition.MET,
        ("deal", "next_step", "next_step_on", "competitor", "concern", "severity", "reason", "text", "order_value"),
        choices={"concern": _CONCERNS, "reason": _REASONS},
    ),
    Template(
        "Customer visit",
        "account",
        Disposition.MET,
        ("next_step", "next_step_on", "competitor", "concern", "severity", "text", "order_value"),
        choices={"concern": _CONCERNS},
    ),
    Template("Nobody there", "both", Disposition.NOT_IN, ("next_step", "next_step_on", "text")),
)
"""Of an area that has none of its own."""


def read_templates(unit: UnitOfWork, area: str) -> TeamTemplates:
    """The templates of an area; the usual ones where nobody has written any.

    Raises:
        TemplatesInvalidError: the stored ones make no sense.
    """
    row = unit.report_templates.get(area)
    return TeamTemplates(row.revision, templates_of(row.templates)) if row else TeamTemplates(0, USUAL_TEMPLATES)


def save_templates(unit: UnitOfWork, area: str, templates: object, revision: int) -> TeamTemplates:
    """Change the templates of an area from the `revision` that the writer saw; JSON as `templates_of` reads it.

    Writing what they are already changes nothing, whatever was seen.

    Raises:
        TemplatesInvalidError: they make no sense.
        TemplatesChangedError: they are at another revision now.
    """
    parsed = templates_of(templates)
    wanted = tuple(template.as_json() for template in parsed)
    row = unit.report_templates.get(area)
    present = row.revision if row else 0
    if row is not None and tuple(row.templates) == wanted:
        return TeamTemplates(present, parsed)
    if revision != present:
        raise TemplatesChangedError(read_templates(unit, area))
    unit.report_templates.put(ReportTemplates(area, revision + 1, wanted))
    unit.audit("report_templates.written", area=area, revision=revision + 1, templates=len(parsed))
    return TeamTemplates(revision + 1, parsed)


def templates_of(value: object) -> tuple[Template, ...]:
    """Templates from JSON: a list of objects as `TemplateEntry`, of which only `name` and `for` are needed.

    Raises:
        TemplatesInvalidError: with all that is wrong.
    """
    if not isinstance(value, list | tuple):
        raise TemplatesInvalidError([TemplateError(0, "", "the templates are not a list")])
    if not 1 <= len(value) <= MOST_TEMPLATES:
        said = f"there are {len(value)} templates: at least one is needed, and at most {MOST_TEMPLATES} are kept"
        raise TemplatesInvalidError([TemplateError(0, "", said)])
    errors: list[TemplateError] = []
    templates = [_Reader(number, errors).template(entry) for number, entry in enumerate(value, start=1)]
    known: dict[str, int] = {}
    for number, template in enumerate(templates, start=1):
        first = known.setdefault(template.name.casefold(), number)
        if template.name and first != number:
            errors.append(TemplateError(number, "name", f"is that of template {first} too"))
    if errors:
        raise TemplatesInvalidError(errors)
    return tuple(templates)


@dataclass
class _Reader:
    """Reads one template and collects what is wrong with it."""

    number: int
    errors: list[TemplateError]

    def template(self, value: object) -> Template:
        entry = self.table("", value, ("name", "for", "disposition", "fields", "required", "choices", "text"))
        name = self.word("name", entry.get("name", ""))
        fits = entry.get("for", "")
        if fits not in FOR:
            self.wrong("for", f"{_shown(fits)} is neither {', '.join(FOR[:-1])} nor {FOR[-1]}")
            fits = "both"
        disposition = entry.get("disposition", "")
        if disposition not in ("", *Disposition):
            self.wrong("disposition", f"{_shown(disposition)} is none of {', '.join(Disposition)}")
            disposition = ""
        asked = self.fields("fields", entry.get("fields", []))
        required = self.fields("required", entry.get("required", []))
        if strangers := [name for name in required if name not in asked]:
            self.wrong("required", f"has {', '.join(strangers)}, which is not asked")
        offered = self.table("choices", entry.get("choices", {}), OFFERED)
        choices = {name: self.words(f"choices.{name}", offered[name]) for name in OFFERED if offered.get(name)}
        if strangers := [name for name in choices if name not in asked]:
            self.wrong("choices", f"has {', '.join(strangers)}, which is not asked")
        text = self.text("text", entry.get("text", ""), MAX_TEXT)
        return Template(name, fits, Disposition(disposition) if disposition else None, asked, required, choices, text)

    def table(self, name: str, value: object, known: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.wrong(name, f"{_shown(value)} is not an object")
            return {}
        for key in value:
            if key not in known:
                self.wrong(".".join(filter(None, (name, str(key)[:50]))), f"is unknown; there are {', '.join(known)}")
        return value

    def fields(self, name: str, value: object) -> tuple[str, ...]:
        """Fields of a report, each once and in their usual order."""
        listed = value if isinstance(value, list | tuple) else [None]
        if strangers := [entry for entry in listed if entry not in FIELDS]:
            self.wrong(name, f"{_shown(strangers[0])} is none of {', '.join(FIELDS)}")
        return tuple(known for known in FIELDS if known in listed)

    def words(self, name: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple):
            self.wrong(name, f"{_shown(value)} is not a list of texts")
            return ()
        if len(value) > MOST_CHOICES:
            self.wrong(name, f"lists {len(value):,}, at most {MOST_CHOICES} are kept")
            return ()
        return tuple(dict.fromkeys(filter(None, (self.word(name, word) for word in value))))

    def word(self, name: str, value: object) -> str:
        """One line that says something."""
        text = " ".join(self.text(name, value, MOST_LETTERS).split())
        if isinstance(value, str) and not text:
            self.wrong(name, "is empty")
        return text

    def text(self, name: str, value: object, most: int) -> str:
        if not isinstance(value, str):
            self.wrong(name, f"{_shown(value)} is not a text")
            return ""
        if len(value) > most:
            self.wrong(name, f"is {len(value):,} characters long, at most {most:,} are kept")
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            self.wrong(name, "holds what is no character")
        return "\n".join(value.split("\r\n")).strip()

    def wrong(self, name: str, message: str) -> None:
        self.errors.append(TemplateError(self.number, name, message))


def _shown(value: object) -> str:
    return f"{value!r:.50}"
