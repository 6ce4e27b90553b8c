"""Report templates as a form that can hold what makes no sense yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.fieldwork.domain import Disposition
from planner.fieldwork.templates import OFFERED, Template, TemplateError

FITS = {"opportunity": "opportunities", "account": "customers", "both": "both"}
DISPOSITIONS = {
    "": "nothing",
    Disposition.MET: "met",
    Disposition.NOT_IN: "not in",
    Disposition.RESCHEDULED: "wants another day",
    Disposition.REFUSED: "refused",
}
FIELDS = {
    "deal": "How the deal goes on",
    "next_step": "Next step",
    "next_step_on": "Its day",
    "competitor": "Competitor",
    "concern": "Concern",
    "severity": "How much it is in the way",
    "reason": "Reason",
    "text": "Free text",
    "order_value": "Order value",
}


@dataclass(frozen=True)
class TypedTemplate:
    """A template as it was typed; what can be chosen is one to a line. `errors` are by field."""

    name: str = ""
    fits: str = "both"
    disposition: str = Disposition.MET.value
    fields: tuple[str, ...] = ("next_step", "next_step_on", "text")
    required: tuple[str, ...] = ()
    competitor: str = ""
    concern: str = ""
    reason: str = ""
    text: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, template: Template) -> TypedTemplate:
        competitor, concern, reason = ("\n".join(template.choices.get(name, ())) for name in OFFERED)
        preset, asked, required = str(template.disposition or ""), template.fields, template.required
        return cls(template.name, template.fits, preset, asked, required, competitor, concern, reason, template.text)

    def as_json(self) -> dict[str, Any]:
        """As `templates_of` reads it."""
        lists = {name: [line.strip() for line in getattr(self, name).splitlines()] for name in OFFERED}
        return {
            "name": self.name,
            "for": self.fits,
            "disposition": self.disposition,
            "fields": list(self.fields),
            "required": list(self.required),
            "choices": {name: [line for line in lines if line] for name, lines in lists.items()},
            "text": self.text,
        }


def blame(typed: Sequence[TypedTemplate], errors: Iterable[TemplateError]) -> list[str]:
    """Put what is wrong beside the fields; returns what is wrong with all of them together."""
    whole = []
    for error in errors:
        if 1 <= error.template <= len(typed):
            name = {"for": "fits"}.get(error.field, error.field.removeprefix("choices."))
            known = name if name in TypedTemplate.__dataclass_fields__ else "name"
            typed[error.template - 1].errors.setdefault(known, error.message)
        else:
            whole.append(error.message)
    return whole


def template_words(template: Template) -> str:
    """What a template does: 'after visits to customers; met; asks for next step, free text'."""
    after = "every visit" if template.fits == "both" else f"visits to {FITS[template.fits]}"
    asks = ", ".join(FIELDS[name].lower() for name in template.fields)
    preset = [DISPOSITIONS[template.disposition]] if template.disposition else []
    return "; ".join([f"after {after}", *preset, f"asks for {asks}" if asks else "asks for nothing else"])
