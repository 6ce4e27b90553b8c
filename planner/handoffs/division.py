"""Who should handle an opportunity, inside sales or the field: a team's rules by customer, deal and product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from planner.candidates import is_dormant
from planner.domain import Account, Opportunity, RecordKind
from planner.errors import ConflictError, PlannerError
from planner.handoffs.domain import Side, TeamRules
from planner.repository import UnitOfWork
from planner.settings import CandidateSettings

MOST_RULES = 50
MOST_WORDS = 100
MOST_LETTERS = 200
MOST_MONEY = 1e12


class Activity(StrEnum):
    """What a customer has done lately."""

    NEW = "new"
    """No customer of ours yet, or one who never bought."""
    ACTIVE = "active"
    DORMANT = "dormant"
    """Used to buy, and has not for the settings' `dormant_days`."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Money of `least` or more, and less than `below`; None for no bound."""

    least: float | None = None
    below: float | None = None

    def holds(self, amount: float) -> bool:
        return (self.least is None or amount >= self.least) and (self.below is None or amount < self.below)

    def __str__(self) -> str:
        parts = []
        if self.least is not None:
            parts.append(f"at least {self.least:,.15g}")
        if self.below is not None:
            parts.append(f"less than {self.below:,.15g}")
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `handler` gets what meets every condition that is there; without conditions, everything.

    Attributes:
        annual_value: what the account buys in a year; who is no customer yet meets no bound.
        value: what the opportunity is worth; one of 0 is not known, and meets no bound.
        activity, segments: of the account.
        products: as the opportunity's attribute `product` says; capitals do not count.
    """

    name: str
    handler: Side
    annual_value: Amount | None = None
    value: Amount | None = None
    activity: tuple[Activity, ...] = ()
    segments: tuple[str, ...] = ()
    products: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As `rules_of` reads it."""
        when: dict[str, Any] = {}
        for name in ("annual_value", "value"):
            amount: Amount | None = getattr(self, name)
            if amount is not None:
                bounds = {"least": amount.least, "below": amount.below}
                when[name] = {bound: number for bound, number in bounds.items() if number is not None}
        for name, words in (("activity", self.activity), ("segment", self.segments), ("product", self.products)):
            if words:
                when[name] = [str(word) for word in words]
        return {"name": self.name, "handler": self.handler.value, "when": when}


@dataclass(frozen=True, slots=True)
class Division:
    """An area's rules, of which the first that is met counts; `revision` is 0 while it has the usual ones."""

    revision: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who should handle an opportunity, by which rule (None: none is met), in a sentence with the numbers."""

    handler: Side
    rule: Rule | None
    sentence: str


@dataclass(frozen=True, slots=True)
class RuleError:
    """What is wrong with one rule, 1 and up (0: with all of them), and in which field, as `when.value.least`."""

    rule: int
    field: str
    message: str

    def __str__(self) -> str:
        where = " ".join(filter(None, (f"rule {self.rule}" if self.rule else "", self.field)))
        return f"{where}: {self.message}" if where else self.message


class RulesInvalidError(PlannerError):
    """Rules that make no sense; `errors` has everything that is wrong with them."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = tuple(errors)


class RulesChangedError(ConflictError):
    """Somebody else has changed the rules since the writer saw them; `present` is what they are now."""

    def __init__(self, present: Division) -> None:
        super().__init__("somebody else has changed these rules meanwhile")
        self.present = present


USUAL_RULES = (
    Rule("Large customers", Side.FIELD, annual_value=Amount(least=50_000)),
    Rule("Large deals", Side.FIELD, value=Amount(least=10_000)),
    Rule("Dormant customers are won back on the phone", Side.INSIDE, activity=(Activity.DORMANT,)),
    Rule("Small deals", Side.INSIDE, value=Amount(below=1_000)),
)
"""Of an area that has none of its own."""


def who_handles(
    opportunity: Opportunity, account: Account | None, rules: Iterable[Rule], today: date, settings: CandidateSettings
) -> Verdict:
    """Inside sales or the field, by the first rule that is met; the field where none is.

    Args:
        account: the customer that it is of, if any.
        settings: say when a customer is dormant.
    """
    activity = _activity(account, today, settings)
    for number, rule in enumerate(rules, start=1):
        because = _met(rule, opportunity, account, activity)
        if because is not None:
            why = ": " + ", ".join(because) if because else ""
            return Verdict(rule.handler, rule, f"{_HANDLES[rule.handler]} by rule {number}, “{rule.name}”{why}")
    return Verdict(Side.FIELD, None, f"{_HANDLES[Side.FIELD]}, since no rule is met")


def verdict_on(
    unit: UnitOfWork, area: str, opportunity: Opportunity, today: date, settings: CandidateSettings
) -> Verdict:
    """The same by an area's rules, and with the customer's record if that is seen.

    Raises:
        RulesInvalidError: the stored rules make no sense.
    """
    account = unit.records(area).get(RecordKind.ACCOUNT, opportunity.account_id) if opportunity.account_id else None
    known = account if isinstance(account, Account) else None
    return who_handles(opportunity, known, read_rules(unit, area).rules, today, settings)


def read_rules(unit: UnitOfWork, area: str) -> Division:
    """The rules of an area; the usual ones where nobody has written any.

    Raises:
        RulesInvalidError: the stored ones make no sense.
    """
    row = unit.team_rules.get(area)
    return Division(row.revision, rules_of(row.rules)) if row else Division(0, USUAL_RULES)


def write_rules(unit: UnitOfWork, area: str, rules: object, revision: int) -> Division:
    """Change the rules of an area from the `revision` that the writer saw; JSON as `rules_of` reads it.

    Writing what they are already changes nothing, whatever was seen.

    Raises:
        RulesInvalidError: they make no sense.
        RulesChangedError: they are at another revision now.
    """
    parsed = rules_of(rules)
    row = unit.team_rules.get(area)
    present = row.revision if row else 0
    if row is not None and tuple(row.rules) == tuple(rule.as_json() for rule in parsed):
        return Division(present, parsed)
    if revision != present:
        raise RulesChangedError(read_rules(unit, area))
    unit.team_rules.put(TeamRules(area, revision + 1, tuple(rule.as_json() for rule in parsed)))
    unit.audit("team_rules.written", area=area, revision=revision + 1, rules=len(parsed))
    return Division(revision + 1, parsed)


def rules_of(value: object) -> tuple[Rule, ...]:
    """Rules from JSON: a list of objects with `name`, `handler` ("inside" or "field") and `when`.

    `when` may have `annual_value` and `value`, each with `least` and `below`; `activity` ("new", "active", "dormant"),
    `segment` and `product`, each one text or a list of them.

    Raises:
        RulesInvalidError: with all that is wrong.
    """
    if not isinstance(value, list | tuple):
        raise RulesInvalidError([RuleError(0, "", "the rules are not a list")])
    if len(value) > MOST_RULES:
        raise RulesInvalidError([RuleError(0, "", f"there are {len(value)} rules, at most {MOST_RULES} are kept")])
    errors: list[RuleError] = []
    rules = [_Reader(number, errors).rule(entry) for number, entry in enumerate(value, start=1)]
    if errors:
        raise RulesInvalidError(errors)
    return tuple(rules)


@dataclass
class _Reader:
    """Reads one rule and collects what is wrong with it."""

    number: int
    errors: list[RuleError] = field(default_factory=list)

    def rule(self, value: object) -> Rule:
        entry = self.table("", value, ("name", "handler", "when"))
        name = self.text("name", entry.get("name", ""))
        handler = entry.get("handler")
        if handler not in (Side.INSIDE.value, Side.FIELD.value):
            self.wrong("handler", f"{_shown(handler)} is neither inside nor field")
            handler = Side.FIELD.value
        rule = Rule(name, Side(handler))
        when = self.table("when", entry.get("when", {}), ("annual_value", "value", "activity", "segment", "product"))
        if "annual_value" in when:
            rule = replace(rule, annual_value=self.amount("when.annual_value", when["annual_value"]))
        if "value" in when:
            rule = replace(rule, value=self.amount("when.value", when["value"]))
        if "activity" in when:
            words = self.words("when.activity", when["activity"])
            known = [word for word in words if word in set(Activity)]
            if len(known) < len(words):
                self.wrong("when.activity", f"knows {', '.join(Activity)}, and nothing else")
            rule = replace(rule, activity=tuple(map(Activity, known)))
        if "segment" in when:
            rule = replace(rule, segments=self.words("when.segment", when["segment"]))
        if "product" in when:
            rule = replace(rule, products=self.words("when.product", when["product"]))
        return rule

    def table(self, name: str, value: object, known: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.wrong(name, f"{_shown(value)} is not an object")
            return {}
        for key in value:
            if key not in known:
                self.wrong(".".join(filter(None, (name, str(key)[:50]))), f"is unknown; there are {', '.join(known)}")
        return value

    def text(self, name: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            self.wrong(name, "is empty" if value == "" or isinstance(value, str) else f"{_shown(value)} is not a text")
            return ""
        if len(value) > MOST_LETTERS:
            self.wrong(name, f"is {len(value):,} characters long, at most {MOST_LETTERS} are kept")
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            self.wrong(name, "holds what is no character")
        return value.strip()

    def words(self, name: str, value: object) -> tuple[str, ...]:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list | tuple) or not listed:
            self.wrong(name, f"{_shown(value)} is neither a text nor a list of texts")
            return ()
        if len(listed) > MOST_WORDS:
            self.wrong(name, f"lists {len(listed):,}, at most {MOST_WORDS} are kept")
            return ()
        return tuple(dict.fromkeys(filter(None, (self.text(name, word) for word in listed))))

    def amount(self, name: str, value: object) -> Amount:
        bounds = self.table(name, value, ("least", "below"))
        numbers: dict[str, float] = {}
        for bound in ("least", "below"):
            if bound in bounds:
                number = bounds[bound]
                is_number = isinstance(number, int | float) and not isinstance(number, bool)
                if not is_number or not 0 <= number <= MOST_MONEY:
                    self.wrong(f"{name}.{bound}", f"{_shown(number)} is not a number between 0 and {MOST_MONEY:,.0f}")
                else:
                    numbers[bound] = number
        if isinstance(value, Mapping) and not {"least", "below"} & set(value):
            self.wrong(name, "has neither least nor below")
        if len(numbers) == 2 and numbers["least"] >= numbers["below"]:
            self.wrong(name, f"no amount is at least {numbers['least']:,.15g} and below {numbers['below']:,.15g}")
        return Amount(**numbers)

    def wrong(self, name: str, message: str) -> None:
        self.errors.append(RuleError(self.number, name, message))


_HANDLES = {Side.FIELD: "The field handles it", Side.INSIDE: "Inside sales handles it"}


def _activity(account: Account | None, today: date, settings: CandidateSettings) -> Activity:
    if account is None or account.last_order is None:
        return Activity.NEW
    return Activity.DORMANT if is_dormant(account, today, settings) else Activity.ACTIVE


def _met(rule: Rule, opportunity: Opportunity, account: Account | None, activity: Activity) -> list[str] | None:
    """Why a rule is met, in words; None where it is not."""
    because = []
    if rule.annual_value is not None:
        if account is None or not rule.annual_value.holds(account.annual_value):
            return None
        because.append(f"the customer buys for {account.annual_value:,.15g} a year ({rule.annual_value})")
    if rule.value is not None:
        if not opportunity.value or not rule.value.holds(opportunity.value):
            return None
        because.append(f"the deal is worth {opportunity.value:,.15g} ({rule.value})")
    if rule.activity:
        if activity not in rule.activity:
            return None
        because.append(_activity_words(account, activity))
    if rule.segments:
        if account is None or account.segment.casefold() not in {segment.casefold() for segment in rule.segments}:
            return None
        because.append(f"the customer is of segment {account.segment}")
    if rule.products:
        product = opportunity.attributes.get("product", "").strip()
        if product.casefold() not in {known.casefold() for known in rule.products}:
            return None
        because.append(f"it is about {product}")
    return because


def _activity_words(account: Account | None, activity: Activity) -> str:
    if account is None:
        return "it is no customer yet"
    if account.last_order is None:
        return "the customer has never ordered"
    return f"the customer is {activity}: last ordered on {account.last_order}"


def _shown(value: object) -> str:
    return f"{value!r:.50}"
