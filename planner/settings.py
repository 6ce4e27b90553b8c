"""One frozen Settings, read once from settings.toml in the home folder and FIELDVISIT_* in the environment."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, time
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from planner.errors import SettingsError
from planner.holidays import holiday_name, list_supported_countries
from routing.outgoing import OutgoingRules
from routing.solver import Engine
from routing.speeds import MOST_TIMES, Slowdown

HOME_VARIABLE = "FIELDVISIT_HOME"
DATABASE_VARIABLE = "FIELDVISIT_DATABASE_URL"
OIDC_SECRET_VARIABLE = "FIELDVISIT_OIDC_SECRET"
SMTP_PASSWORD_VARIABLE = "FIELDVISIT_SMTP_PASSWORD"


def _table(section: str, values: Mapping[str, Any], cls: type[Any]) -> Any:
    """A settings class filled from a table; an unknown key or a wrong type is named."""
    defaults = cls()
    chosen: dict[str, Any] = {}
    for key, value in values.items():
        if key not in {f.name for f in fields(cls)}:
            known = ", ".join(f.name for f in fields(cls))
            raise SettingsError(f"settings.toml: [{section}] has no setting {key!r}; it knows {known}")
        default = getattr(defaults, key)
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if isinstance(default, tuple):
            value = tuple(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else None
        fits = isinstance(value, dict) if isinstance(default, Mapping) else type(value) is type(default)
        if not fits:
            raise SettingsError(f"settings.toml: [{section}] {key} is not {_kind_of(default)}")
        chosen[key] = value
    try:
        return cls(**chosen)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"settings.toml: [{section}] {error}") from error


def _kind_of(default: object) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", tuple: "a list of texts"}
    return names.get(type(default), "a table")


def _check_between(low: float, high: float, values: Mapping[str, object]) -> None:
    """Numbers within their bounds; neither NaN nor a truth value is one."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}, not between {low:,} and {high:,}")


def _named(section: object, *names: str) -> dict[str, object]:
    return {name: getattr(section, name) for name in names}


def _of_segments(name: str, by_segment: Mapping[str, object]) -> dict[str, object]:
    return {f"{name} of segment {segment}": value for segment, value in by_segment.items()}


BANT_ANSWERS = ("budget", "authority", "need")
"""The questions that are answered by yes or no; the timeline is a phrase."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """When an opportunity may be handed off (see planner/qualification.py)."""

    must_be_yes: tuple[str, ...] = ("need",)
    known_of: tuple[str, ...] = ("budget", "authority", "timeline")
    known_at_least: int = 2
    least_value: float = 0.0
    needs_notes: bool = False
    first_action_days: int = 5

    def __post_init__(self) -> None:
        _check_between(0, 365, _named(self, "first_action_days"))
        _check_between(0, 1e12, _named(self, "least_value"))
        for setting, known in (("must_be_yes", BANT_ANSWERS), ("known_of", (*BANT_ANSWERS, "timeline"))):
            names = getattr(self, setting)
            for name in names:
                if name not in known:
                    raise ValueError(f"{setting} names {name!r}, which is none of {', '.join(known)}")
            if len(set(names)) < len(names):
                raise ValueError(f"{setting} names one question twice")
        _check_between(0, len(self.known_of), _named(self, "known_at_least"))


@dataclass(frozen=True, slots=True)
class CalendarSettings:
    """Whose public holidays nobody works on: an ISO 3166-1 code such as "GB", and a subdivision such as "WLS"."""

    country: str = ""
    subdivision: str = ""

    def __post_init__(self) -> None:
        if not self.country:
            if self.subdivision:
                raise ValueError(f"subdivision {self.subdivision!r} stands without a country")
            return
        known = list_supported_countries()
        if self.country not in known:
            raise ValueError(f"country {self.country!r} is none whose public holidays are known, such as GB or FI")
        if self.subdivision and self.subdivision not in known[self.country]:
            raise ValueError(f"{self.country} has no subdivision {self.subdivision!r}; it has {known[self.country]}")

    def holiday(self, day: date) -> str:
        """What a day is called that is a public holiday; empty for any other day."""
        return holiday_name(self.country, self.subdivision, day)


CONFLICT_RULES = ("owner", "shared", "manager")


@dataclass(frozen=True, slots=True)
class HandoffSettings:
    """What happens where a handoff meets a customer who is there already (see planner/handoffs/conflicts.py).

    `conflict`: "owner" – the customer's rep takes it; "shared" – the rep takes it and both get credit; "manager" – a
    manager decides. Two records are alike within `same_place_metres`, or where their names are `alike_percent` alike.
    """

    conflict: str = "owner"
    same_place_metres: int = 100
    alike_percent: int = 85

    def __post_init__(self) -> None:
        if self.conflict not in CONFLICT_RULES:
            raise ValueError(f"conflict {self.conflict!r} is none of {', '.join(CONFLICT_RULES)}")
        _check_between(0, 10_000, _named(self, "same_place_metres"))
        _check_between(1, 100, _named(self, "alike_percent"))


WINDOW_MEANINGS = ("arrive", "whole")


@dataclass(frozen=True, slots=True)
class OvernightSettings:
    """What a night at a hotel costs that does not say so itself: `price_minutes` of driving that it has to save."""

    price_minutes: int = 120

    def __post_init__(self) -> None:
        _check_between(0, 1440, _named(self, "price_minutes"))


@dataclass(frozen=True, slots=True)
class BookingSettings:
    """How visits are offered and promised (see planner/slots).

    A window of `window_minutes` begins every `step_minutes` and means that the rep is at the door within it ("arrive"),
    or that the whole visit lies within it ("whole"). A hold lasts `hold_minutes`, and nobody has more than
    `holds_per_person` at once. Nothing is offered sooner than
    `notice_minutes` from now, nor more than `most_days` days ahead; a search looks `days` ahead unless told otherwise
    and shows `offers` slots. With `only_qualified`, nothing is promised for a handoff that the gate does not let
    through.
    """

    window_minutes: int = 60
    step_minutes: int = 30
    meaning: str = "arrive"
    hold_minutes: int = 10
    holds_per_person: int = 5
    notice_minutes: int = 120
    days: int = 10
    most_days: int = 60
    offers: int = 30
    only_qualified: bool = False

    def __post_init__(self) -> None:
        _check_between(5, 1440, _named(self, "window_minutes", "step_minutes"))
        _check_between(1, 1440, _named(self, "hold_minutes"))
        _check_between(0, 100_000, _named(self, "notice_minutes"))
        _check_between(1, 366, _named(self, "days", "most_days"))
        _check_between(1, 1_000, _named(self, "holds_per_person", "offers"))
        if self.meaning not in WINDOW_MEANINGS:
            raise ValueError(f"meaning {self.meaning!r} is neither arrive nor whole")


@dataclass(frozen=True, slots=True)
class FieldworkSettings:
    """What phones in the field send, and what is learned from it (see planner/fieldwork).

    A check-in within `door_metres` of the customer's place, give or take what the phone says of its own accuracy, is
    at the door. The minutes of visits to an account are learned from its last `learn_from_visits` visits of known
    length, once there are `learn_after_visits`. What phones send is taken for `accept_days` days after the day that it
    is about. Positions are kept in full for `precise_days` days, to about a kilometre for `coarse_days`, and then not
    at all.
    """

    door_metres: int = 150
    learn_after_visits: int = 3
    learn_from_visits: int = 8
    accept_days: int = 60
    precise_days: int = 7
    coarse_days: int = 90

    def __post_init__(self) -> None:
        _check_between(10, 10_000, _named(self, "door_metres"))
        _check_between(1, 100, _named(self, "learn_after_visits", "learn_from_visits"))
        _check_between(1, 366, _named(self, "accept_days"))
        _check_between(0, 366, _named(self, "precise_days", "coarse_days"))
        if self.learn_from_visits < self.learn_after_visits:
            raise ValueError("learn_from_visits is below learn_after_visits")
        if self.coarse_days < self.precise_days:
            raise ValueError("coarse_days is below precise_days")


WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
ENGINES = tuple(str(engine) for engine in Engine)
MOST_WORKERS = 64
MAIL_SECURITY = ("starttls", "tls", "none")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The mail server; its password is in FIELDVISIT_SMTP_PASSWORD. An empty host is none: nothing is sent.

    Each field rep is sent the next working day's route at `evening_at`, local time of the rep. Whoever wants the weekly
    summary is sent it at `weekly_at`, a weekday and a time of the area's zone; empty for never. `security` is
    "starttls", "tls" or, for a server on this machine only, "none".
    """

    host: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    sender: str = ""
    evening_at: str = "18:00"
    weekly_at: str = "Mo 07:00"

    def __post_init__(self) -> None:
        _check_between(1, 65_535, _named(self, "port"))
        if self.security not in MAIL_SECURITY:
            raise ValueError(f"security {self.security!r} is none of {', '.join(MAIL_SECURITY)}")
        if self.security == "none" and self.host not in ("", "localhost", "127.0.0.1", "::1"):
            raise ValueError("security none is for a server on this machine: passwords would travel in the clear")
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", self.evening_at, re.ASCII):
            raise ValueError(f"evening_at {self.evening_at!r} is no time such as 18:00")
        weekly = rf"({'|'.join(WEEKDAYS)}) ([01][0-9]|2[0-3]):[0-5][0-9]"
        if self.weekly_at and not re.fullmatch(weekly, self.weekly_at, re.ASCII):
            raise ValueError(f"weekly_at {self.weekly_at!r} is no weekday and time such as Mo 07:00")
        if self.host and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", self.sender):
            raise ValueError(f"sender {self.sender!r} is no address such as visits@example.com")


@dataclass(frozen=True, slots=True)
class CandidateSettings:
    """Which customers are candidates for a visit (see planner/candidates).

    Two visits to one are a cadence apart, give or take `spacing_share` of it.
    """

    nearby_minutes: float = 7.0
    nearby_cadence_share: float = 0.6
    dormant_days: int = 365
    parking_minutes: int = 5
    visit_minutes: int = 30
    cadence_days: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({"A": 14, "B": 28, "C": 84}))
    other_cadence_days: int = 84
    spacing_share: float = 0.3

    def __post_init__(self) -> None:
        _check_between(0, 1, _named(self, "spacing_share"))
        _check_between(0, 1440, _named(self, "nearby_minutes", "parking_minutes"))
        _check_between(1, 1440, _named(self, "visit_minutes"))
        _check_between(0, 1_000_000, _named(self, "nearby_cadence_share", "dormant_days"))
        cadences = _of_segments("cadence_days", self.cadence_days)
        _check_between(1, 3650, _named(self, "other_cadence_days") | cadences)
        if not all(isinstance(days, int) for days in cadences.values()):
            raise ValueError("cadence_days holds a fraction of a day")


@dataclass(frozen=True, slots=True)
class RushHours:
    """From when to when, by the clock, driving takes longer, and on which roads how much."""

    start: time
    end: time
    slowdown: Slowdown


@dataclass(frozen=True, slots=True)
class TrafficSettings:
    """When driving takes longer (see planner/rush_hours.py).

    `morning` and `evening` are such as "07:00-09:30", on `days`, by the area's clock; empty for never. Their factors
    say how many times as long driving takes then on motorways (and trunk roads), main_roads (primary to tertiary) and
    streets (all others); what they do not name takes as long as ever.
    """

    morning: str = ""
    evening: str = ""
    days: tuple[str, ...] = WEEKDAYS[:5]
    morning_factors: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"motorways": 1.3, "main_roads": 1.4, "streets": 1.2})
    )
    evening_factors: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"motorways": 1.3, "main_roads": 1.4, "streets": 1.2})
    )

    def __post_init__(self) -> None:
        for day in self.days:
            if day not in WEEKDAYS:
                raise ValueError(f"days names {day!r}, which is none of {', '.join(WEEKDAYS)}")
        for name in ("morning", "evening"):
            factors = getattr(self, f"{name}_factors")
            if unknown := set(factors) - set(Slowdown.__dataclass_fields__):
                raise ValueError(f"{name}_factors names {min(unknown)!r}: motorways, main_roads and streets are known")
            _check_between(1, MOST_TIMES, {f"{name}_factors of {road}": factor for road, factor in factors.items()})
        hours = self.rush_hours
        if len(hours) > 1 and hours[0].end > hours[1].start:
            raise ValueError(f"morning {self.morning!r} ends after evening {self.evening!r} begins")

    @property
    def rush_hours(self) -> tuple[RushHours, ...]:
        """In order; none where driving always takes as long."""
        asked = ((self.morning, self.morning_factors), (self.evening, self.evening_factors))
        return tuple(RushHours(*_from_to(text), Slowdown(**factors)) for text, factors in asked if text)


def _from_to(text: str) -> tuple[time, time]:
    clock = "([01][0-9]|2[0-3]):[0-5][0-9]"
    if not re.fullmatch(f"{clock}-{clock}", text, re.ASCII):
        raise ValueError(f"{text!r} is no time of day such as 07:00-09:30")
    start, end = (time.fromisoformat(each) for each in text.split("-"))
    if start >= end:
        raise ValueError(f"{text!r} ends before it begins")
    return start, end


@dataclass(frozen=True, slots=True)
class WorthSettings:
    """The terms of the worth formula, in minutes of a rep's time (see planner/worth.py)."""

    opportunity_minutes: float = 240.0
    segment_minutes: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"A": 60.0, "B": 40.0, "C": 25.0})
    )
    other_segment_minutes: float = 25.0
    doubling_minutes: float = 10.0
    value_unit: float = 1000.0
    most_urgent: float = 3.0
    late_minutes: float = 1440.0
    late_minutes_per_day: float = 240.0

    def __post_init__(self) -> None:
        minutes = ("opportunity_minutes", "other_segment_minutes", "doubling_minutes", "late_minutes")
        _check_between(0, 14_400, _named(self, *minutes, "late_minutes_per_day"))
        _check_between(0, 14_400, _of_segments("segment_minutes", self.segment_minutes))
        _check_between(0, 1_000, _named(self, "most_urgent"))
        _check_between(0.01, 1e12, _named(self, "value_unit"))


@dataclass(frozen=True, slots=True)
class GeocodingSettings:
    """Online geocoders, tried after the area's own gazetteer; off by default."""

    online: tuple[str, ...] = ()
    nominatim_url: str = ""
    photon_url: str = ""
    user_agent: str = "fieldvisit"

    def __post_init__(self) -> None:
        for name in self.online:
            if name not in ("nominatim", "photon"):
                raise ValueError(f"online names {name!r}, which is neither nominatim nor photon")


@dataclass(frozen=True, slots=True)
class MapSettings:
    """An online tile server in place of the offline base map; empty for none."""

    tile_url: str = ""
    tile_attribution: str = ""


def _check_public_url(address: str) -> None:
    url = urlsplit(address)
    host = re.fullmatch(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?", url.netloc, re.ASCII | re.IGNORECASE)
    if url.scheme not in ("http", "https") or not host:
        raise ValueError(f"public_url {address!r} is no address such as https://visits.example.com")
    if url.path.strip("/") or url.query or url.fragment:
        raise ValueError(f"public_url {address!r} has something behind the host: the pages need a host of their own")
    if url.scheme == "http" and url.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError(f"public_url {address!r} is not https://: passwords would travel in the clear")


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How browsers reach the pages.

    `public_url` is the address that people type, such as https://visits.example.com; without it the pages are served on
    this machine only. `proxies` is how many reverse proxies stand in front and may be believed.
    """

    public_url: str = ""
    proxies: int = 0

    def __post_init__(self) -> None:
        _check_between(0, 5, _named(self, "proxies"))
        if self.public_url:
            _check_public_url(self.public_url)


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """How long people stay logged in, and which roles need a second factor: of "manager" and "admin".

    A field rep's phone lies in a pocket overnight and over a weekend, and has a lock of its own: `field_idle_minutes`.
    """

    idle_minutes: int = 720
    field_idle_minutes: int = 4320
    absolute_hours: int = 168
    second_factor: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_between(1, 100_000, _named(self, "idle_minutes", "field_idle_minutes", "absolute_hours"))
        for role in self.second_factor:
            if role not in ("manager", "admin"):
                raise ValueError(f"second_factor names {role!r}, which is neither manager nor admin")


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Single sign-on by OpenID Connect; the client's secret is in FIELDVISIT_OIDC_SECRET. Empty for none.

    `issuer` is the provider's address, whose host is also listed in [outgoing]; `label` is on the login page's button.
    """

    issuer: str = ""
    client_id: str = ""
    label: str = "Single sign-on"

    def __post_init__(self) -> None:
        if bool(self.issuer) != bool(self.client_id):
            raise ValueError("issuer and client_id go together: one of them is empty")
        if self.issuer and urlsplit(self.issuer).scheme not in ("http", "https"):
            raise ValueError(f"issuer {self.issuer!r} is no address such as https://login.example.com")
        if not self.label:
            raise ValueError("label is empty")


@dataclass(frozen=True, slots=True)
class SolverSettings:
    """How plans are searched for.

    `engine` is "ruin-recreate" or "ortools"; empty is the better one that this machine has. A search keeps `workers`
    cores busy; 0 is as many as there are and help. With `warm_start` a search by seconds begins with the plan that was
    made last. Putting a visit that people have seen on another day or rep has to save `stability_minutes` of driving.
    """

    engine: str = ""
    workers: int = 0
    warm_start: bool = True
    stability_minutes: int = 5

    def __post_init__(self) -> None:
        if self.engine and self.engine not in ENGINES:
            raise ValueError(f"engine {self.engine!r} is none of {', '.join(ENGINES)}")
        _check_between(0, MOST_WORKERS, _named(self, "workers"))
        _check_between(0, 1440, _named(self, "stability_minutes"))


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Who solves, and how much of it one person may ask for.

    `scheduler` is the address of a Dask scheduler; empty for workers on this machine, `workers` of them and one more
    that only takes what is short: geocoding, and plans of at most `short_seconds`. Off loopback the address is tls://
    and the three files are needed. A plan holds at most `most_visits`, and its area at most `most_records`.
    """

    scheduler: str = ""
    tls_ca_file: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    workers: int = 1
    running_per_person: int = 1
    waiting_per_person: int = 5
    most_visits: int = 5_000
    most_records: int = 50_000
    most_seconds: int = 900
    short_seconds: int = 60
    most_failures: int = 3
    lease_seconds: int = 30

    def __post_init__(self) -> None:
        _check_between(1, 1_000, _named(self, "workers", "running_per_person", "waiting_per_person", "most_failures"))
        _check_between(1, 1_000_000, _named(self, "most_visits", "most_records"))
        _check_between(1, 86_400, _named(self, "most_seconds"))
        _check_between(0, 86_400, _named(self, "short_seconds"))
        _check_between(2, 3_600, _named(self, "lease_seconds"))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is chosen rather than computed. `home` holds areas, the database and settings.toml."""

    home: Path
    database_url: str = field(repr=False)  # a password may be in it
    gate: GateSettings = field(default_factory=GateSettings)
    handoffs: HandoffSettings = field(default_factory=HandoffSettings)
    booking: BookingSettings = field(default_factory=BookingSettings)
    calendar: CalendarSettings = field(default_factory=CalendarSettings)
    fieldwork: FieldworkSettings = field(default_factory=FieldworkSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    smtp_password: str = field(default="", repr=False)
    candidates: CandidateSettings = field(default_factory=CandidateSettings)
    worth: WorthSettings = field(default_factory=WorthSettings)
    overnight: OvernightSettings = field(default_factory=OvernightSettings)
    traffic: TrafficSettings = field(default_factory=TrafficSettings)
    geocoding: GeocodingSettings = field(default_factory=GeocodingSettings)
    map: MapSettings = field(default_factory=MapSettings)
    web: WebSettings = field(default_factory=WebSettings)
    login: LoginSettings = field(default_factory=LoginSettings)
    oidc: OidcSettings = field(default_factory=OidcSettings)
    oidc_secret: str = field(default="", repr=False)
    solver: SolverSettings = field(default_factory=SolverSettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    outgoing: OutgoingRules = field(default_factory=OutgoingRules)

    @property
    def areas(self) -> Path:
        return self.home / "areas"


def default_home() -> Path:
    return Path.home() / ".fieldvisit"


def read_settings(home: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings of a home folder, which is created if need be.

    Raises:
        SettingsError: settings.toml is no TOML, or a setting is unknown or out of range; or the folder cannot be made.
    """
    # Absolute from here on: a later change of folder, or a server with a folder of its own, must not lose it.
    home = (home or Path(environment.get(HOME_VARIABLE) or default_home())).expanduser().absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = home / "settings.toml"
        # Editors on Windows put a byte order mark in front.
        tables = tomllib.loads(file.read_text(encoding="utf-8-sig") if file.exists() else "")
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{home / 'settings.toml'}: {error}") from error
    sections = {
        "gate": GateSettings,
        "handoffs": HandoffSettings,
        "booking": BookingSettings,
        "overnight": OvernightSettings,
        "calendar": CalendarSettings,
        "fieldwork": FieldworkSettings,
        "mail": MailSettings,
        "candidates": CandidateSettings,
        "worth": WorthSettings,
        "traffic": TrafficSettings,
        "geocoding": GeocodingSettings,
        "map": MapSettings,
        "web": WebSettings,
        "login": LoginSettings,
        "oidc": OidcSettings,
        "solver": SolverSettings,
        "jobs": JobSettings,
        "outgoing": OutgoingRules,
    }
    for name, table in tables.items():
        if name not in sections or not isinstance(table, dict):
            raise SettingsError(f"settings.toml: there is no section [{name}]; it knows {', '.join(sections)}")
    chosen = {name: _table(name, tables.get(name, {}), cls) for name, cls in sections.items()}
    database = environment.get(DATABASE_VARIABLE) or f"sqlite:///{home / 'fieldvisit.sqlite'}"
    return Settings(
        home=home,
        database_url=database,
        oidc_secret=environment.get(OIDC_SECRET_VARIABLE, ""),
        smtp_password=environment.get(SMTP_PASSWORD_VARIABLE, ""),
        **chosen,
    )
