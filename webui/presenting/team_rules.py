"""The rules about who handles what, as a form that can hold what makes no sense yet, and each as a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.errors import InvalidRecordError
from planner.handoffs.division import Activity, Amount, Rule, RuleError
from planner.handoffs.domain import Side
from planner.intake.cells import parse_money
from planner.settings import Settings
from webui.words import count

ACTIVITIES = {Activity.NEW: "new", Activity.ACTIVE: "active", Activity.DORMANT: "dormant"}

_AMOUNTS = (("annual_value", "annual"), ("value", "value"))
_WHERE = {
    "name": "name",
    "handler": "handler",
    "when.activity": "activity",
    "when.segment": "segments",
    "when.product": "products",
    **{f"when.{name}{bound}": f"{short}_least" for name, short in _AMOUNTS for bound in ("", ".least")},
    **{f"when.{name}.below": f"{short}_below" for name, short in _AMOUNTS},
}
"""The field of the form in which something is wrong, by what the rules call it."""

_CONFLICT = {
    "owner": "the customer’s rep takes it",
    "shared": "the customer’s rep takes it and shares the credit with inside sales",
    "manager": "a manager decides who takes it",
}


@dataclass(frozen=True)
class TypedRule:
    """A rule as it was typed. `errors` are by field."""

    name: str = ""
    handler: str = Side.FIELD.value
    annual_least: str = ""
    annual_below: str = ""
    value_least: str = ""
    value_below: str = ""
    activity: tuple[str, ...] = ()
    segments: str = ""
    products: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: Rule) -> TypedRule:
        annual, value = rule.annual_value or Amount(), rule.value or Amount()
        return cls(
            rule.name,
            rule.handler.value,
            _money(annual.least),
            _money(annual.below),
            _money(value.least),
            _money(value.below),
            tuple(map(str, rule.activity)),
            ", ".join(rule.segments),
            ", ".join(rule.products),
        )

    def as_json(self) -> dict[str, Any]:
        """As `rules_of` reads it; amounts that are none are noted in `errors`."""
        when: dict[str, Any] = {}
        for name, short in _AMOUNTS:
            bounds = {bound: self._amount(f"{short}_{bound}") for bound in ("least", "below")}
            if given := {bound: amount for bound, amount in bounds.items() if amount is not None}:
                when[name] = given
        for name, words in (("segment", _words(self.segments)), ("product", _words(self.products))):
            if words:
                when[name] = words
        if self.activity:
            when["activity"] = list(self.activity)
        return {"name": self.name, "handler": self.handler, "when": when}

    def _amount(self, name: str) -> float | None:
        typed: str = getattr(self, name)
        try:
            return parse_money(name, typed) if typed else None
        except InvalidRecordError as error:
            self.errors[name] = error.message
            return None


def blame(typed: Sequence[TypedRule], errors: Iterable[RuleError]) -> list[str]:
    """Put what is wrong beside the fields; returns what is wrong with all of them together."""
    whole = []
    for error in errors:
        if 1 <= error.rule <= len(typed):
            typed[error.rule - 1].errors.setdefault(_WHERE.get(error.field, "name"), error.message)
        else:
            whole.append(error.message)
    return whole


def rule_words(rule: Rule) -> str:
    """What a rule says: 'deals worth at least 10,000 with customers who are dormant'."""
    deals = []
    if rule.value is not None:
        deals.append(f"worth {rule.value}")
    if rule.products:
        deals.append(f"about {_or(rule.products)}")
    customers = []
    if rule.annual_value is not None:
        customers.append(f"buy for {rule.annual_value} a year")
    if rule.activity:
        customers.append(f"are {_or([ACTIVITIES[activity] for activity in rule.activity])}")
    if rule.segments:
        customers.append(f"are of segment {_or(rule.segments)}")
    deal = f"deals {' and '.join(deals)}" if deals else "all deals"
    return f"{deal} with customers who {' and '.join(customers)}" if customers else deal


def settings_words(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What both sides agreed on besides the rules, as the settings have it."""
    gate, handoffs = settings.gate, settings.handoffs
    asked = [f"{name} is yes" for name in gate.must_be_yes]
    if gate.known_at_least:
        asked.append(f"{gate.known_at_least} of {', '.join(gate.known_of)} are known")
    if gate.least_value:
        asked.append(f"it is worth at least {gate.least_value:,.15g}")
    if gate.needs_notes:
        asked.append("there are notes for the field")
    alike = f"names {handoffs.alike_percent} % alike, or within {handoffs.same_place_metres} m"
    return (
        ("Handed off when", "; ".join(asked) or "whatever is known"),
        ("First visit within", f"{count(gate.first_action_days, 'working day')}, where nobody says otherwise"),
        ("Customers who look alike", alike),
        ("If the customer has a rep", _CONFLICT[handoffs.conflict]),
    )


def tried_words(typed: Mapping[str, str]) -> str:
    """What is tried out, as a line."""
    return ", ".join(f"{name} {text}" for name, text in typed.items() if text)


def _money(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.15g}"


def _words(typed: str) -> list[str]:
    return [word for part in typed.split(",") if (word := part.strip())]


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
