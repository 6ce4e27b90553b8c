"""Files are imported and addresses settled on pages: every row accounted for, nothing by halves, nothing twice."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_cast import Office, text_of, viewer
from werkzeug.test import TestResponse
from writing_cast import (
    ADDRESSES,
    ANN,
    BAR,
    BEN,
    DOUBTFUL,
    NORTH,
    RECORDS,
    SOUTH,
    audited,
    hidden,
    jobs,
    send,
)

from planner.access import Role
from planner.domain import Account, Address
from planner.intake import EXAMPLES
from routing.geo import LatLon

ACCOUNTS = "account_id,name,address\nA1,Bar,Twin Street 1\nA2,=Inn,\n"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.area()
    return office


def file(content: str | bytes, name: str = "accounts.csv") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content if isinstance(content, bytes) else content.encode()), name


def upload(office: Office, **files: Any) -> TestResponse:
    return send(office, RECORDS, **files)


def report(office: Office, answer: TestResponse) -> str:
    assert answer.status_code == 303, text_of(answer.get_data(as_text=True))
    return office.text(answer.location)


def accounts(office: Office) -> list[Account]:
    with office.store.read() as unit:
        return unit.records("helsinki").accounts()


def test_files_are_imported_and_their_addresses_looked_up(office: Office) -> None:
    files = {kind: file((EXAMPLES / f"{kind}.csv").read_bytes(), f"{kind}.csv") for kind in ("reps", "accounts")}
    text = report(office, upload(office, **files))
    assert "reps.csv 2 added 0 changed 0 unchanged 0 refused" in text
    assert "accounts.csv 2 added 0 changed 0 unchanged 0 refused" in text
    assert [(job.kind, job.state) for job in jobs(office)] == [("geocode", "waiting")]
    assert audited(office) == ["records.imported", "job.requested"]
    assert "Find the places of addresses" in office.text(RECORDS)


def test_addresses_that_nobody_has_looked_up_are_looked_up_at_the_press_of_a_button(office: Office) -> None:
    office.know(BAR)
    assert "Bar account A1 Twin Street 1, Helsinki waiting" in office.text(ADDRESSES)
    assert send(office, RECORDS, f"{RECORDS}/look-up").status_code == 303
    assert [(job.kind, job.state) for job in jobs(office)] == [("geocode", "waiting")]
    assert "Look them up now" not in office.text(RECORDS)


@pytest.mark.parametrize("kind", ["reps", "accounts", "opportunities"])
def test_an_example_can_be_downloaded_and_imports_as_it_is(office: Office, kind: str) -> None:
    example = office.client.get(f"/a/helsinki/records/examples/{kind}.csv")
    assert example.headers["Content-Disposition"] == f"attachment; filename={kind}.csv"
    office.know(ANN)
    text = report(office, upload(office, **{kind: file(example.data, f"{kind}.csv")}))
    assert "2 added 0 changed 0 unchanged 0 refused" in text
    assert "columns that the file does not have" not in text
    assert "kept as attributes" not in text


def test_every_refused_row_is_named_by_line_column_and_reason_and_the_others_are_in(office: Office) -> None:
    rows = "account_id,name,address,visit_minutes\nA1,Bar,Twin Street 1,30\n=1+1,Inn,,-5\nA3,,,\n"
    answer = upload(office, accounts=file(rows, "my files/<b>.csv"))
    text = report(office, answer)
    assert "<b>.csv 1 added 0 changed 0 unchanged 2 refused" in text
    assert "my files" not in text
    assert "3 =1+1 visit_minutes -5 is not between 1 and 1440 minutes" in text
    assert "4 A3 name is empty" in text
    assert [account.id for account in accounts(office)] == ["A1"]
    listed = office.client.get(f"{answer.location}/refused.csv").get_data().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(listed))) == [
        ["file", "line", "record_id", "column", "reason"],
        ["<b>.csv", "3", "'=1+1", "visit_minutes", "'-5 is not between 1 and 1440 minutes"],
        ["<b>.csv", "4", "A3", "name", "is empty"],
    ]


def test_a_report_is_there_for_whoever_imported_and_for_nobody_else(office: Office) -> None:
    address = upload(office, accounts=file(ACCOUNTS)).location
    office.area("turku")
    office.page(address.replace("helsinki", "turku"), 404)
    office.page(address[:-1] + "x", 404)
    office.viewer = viewer(Role.MANAGER)
    office.page(address, 404)


def test_a_file_that_is_sent_twice_is_imported_once_and_reported_alike(office: Office) -> None:
    fields = hidden(office.page(RECORDS), RECORDS)
    answers = [office.client.post(RECORDS, data=fields | {"accounts": file(ACCOUNTS)}) for _ in range(2)]
    assert answers[0].location == answers[1].location
    assert "2 added" in report(office, answers[1])
    assert len(jobs(office)) == 1
    assert audited(office) == ["records.imported", "job.requested"]


def test_another_file_in_the_same_form_is_another_import(office: Office) -> None:
    fields = hidden(office.page(RECORDS), RECORDS)
    first = office.client.post(RECORDS, data=fields | {"accounts": file(ACCOUNTS)})
    second = office.client.post(RECORDS, data=fields | {"accounts": file(ACCOUNTS.replace("Bar", "Pub"))})
    assert "1 changed 1 unchanged" in report(office, second)
    assert first.location != second.location


def workbook_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 51_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "accounts.csv is empty."),
        (b"name\nBar\n", "accounts.csv has no column account_id, address"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "accounts.csv has no column account_id"),
        (b"\xd0\xcf\x11\xe0rest", "is an old .xls workbook; save it as .xlsx or CSV."),
        (b"PK\x03\x04rest", "is not a readable XLSX workbook"),
        (ACCOUNTS.encode("utf-16-le"), "is no list of column names"),
        (b"account_id,name,address\n" + b"A,B,C\n" * 20_001, "has more than 20,000 rows"),
        (b",".join(b"c%d" % n for n in range(300)), "has more than 200 columns"),
        (workbook_bomb(), "unpacks to more than 50 MB"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_sentence_and_nothing_of_the_others_is_in(
    office: Office, content: bytes, said: str
) -> None:
    reps = (EXAMPLES / "reps.csv").read_bytes()
    answer = upload(office, accounts=file(content), reps=file(reps, "reps.csv"))
    assert answer.status_code == 422
    assert said in text_of(answer.get_data(as_text=True))
    with office.store.read() as unit:
        assert unit.records("helsinki").reps() == []
    assert jobs(office) == []
    assert audited(office) == []


@pytest.mark.parametrize(
    "row",
    ['A9,"never closed,street', "A9,nul\0,street", "A9," + "x" * 120_000 + ",street", "A9,a,b,c,d"],
)
def test_a_hostile_row_is_refused_alone(office: Office, row: str) -> None:
    text = report(office, upload(office, accounts=file(f"account_id,name,address\n{row}\nA1,Bar,Twin Street 1\n")))
    assert "1 added 0 changed 0 unchanged 1 refused" in text
    assert [account.id for account in accounts(office)] == ["A1"]


def test_more_than_twenty_megabytes_are_not_taken(office: Office) -> None:
    headers = {"X-CSRF-Token": "csrf", "Content-Type": "multipart/form-data; boundary=b"}
    answer = office.client.post(RECORDS, data=b"x" * 21_500_000, headers=headers)
    assert answer.status_code == 413
    assert "too large" in answer.get_data(as_text=True)


def test_a_form_without_files_is_large_only_by_mistake(office: Office) -> None:
    fields = hidden(office.page("/a/helsinki/planning"), "planning") | {"first_day": "x" * 300_000}
    assert office.client.post("/a/helsinki/planning", data=fields).status_code == 413


def test_without_a_file_the_page_says_so(office: Office) -> None:
    answer = upload(office)
    assert answer.status_code == 422
    assert "Choose at least one file." in answer.get_data(as_text=True)


def test_a_field_rep_imports_nothing_and_settles_nothing(office: Office) -> None:
    office.viewer = viewer(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))
    fields = {"csrf": "csrf", "key": "k" * 16}
    for address in (RECORDS, ADDRESSES):
        office.page(address, 403)
        assert office.client.post(address, data=dict(fields)).status_code == 403


def test_a_manager_of_a_team_imports_nothing_for_the_reps_of_others(office: Office) -> None:
    office.know(ANN, BEN)
    office.viewer = viewer(Role.MANAGER, area="helsinki", reps=frozenset({"ann"}))
    rows = "account_id,name,address,owner_rep_id\nA1,Mine,Street 1,ann\nA2,His,Street 2,ben\n"
    answer = upload(office, accounts=file(rows))
    assert answer.status_code == 422
    assert "area helsinki has no account A2" in text_of(answer.get_data(as_text=True))
    assert accounts(office) == []
    assert report(office, upload(office, accounts=file(rows.rpartition("A2")[0])))


# --- addresses --------------------------------------------------------------------------------------------------------


def doubtful(office: Office) -> Office:
    office.know(BAR, DOUBTFUL)
    return office


def places(office: Office) -> dict[str, LatLon | None]:
    with office.store.read() as unit:
        return {location.record_id: location.place for location in unit.records("helsinki").locations()}


def test_one_button_settles_an_address_which_then_is_no_longer_listed(office: Office) -> None:
    text = doubtful(office).text(ADDRESSES)
    assert "There are two." in text
    assert "not sure" in text
    answer = send(office, ADDRESSES, candidate="2")
    assert answer.status_code == 303
    assert "account A1 is settled. Every address is located." in office.text(answer.location)
    assert places(office) == {"A1": SOUTH}
    assert audited(office) == ["address.settled"]


@pytest.mark.parametrize("typed", ["60.5, 25.5", " 60.5,25.5 ", "60.5 25.5", "60.5;25.5"])
def test_an_address_is_settled_by_latitude_and_longitude(office: Office, typed: str) -> None:
    assert send(doubtful(office), ADDRESSES, at=typed).status_code == 303
    assert places(office) == {"A1": LatLon(60.5, 25.5)}


@pytest.mark.parametrize(
    ("typed", "said"), [("", "degrees"), ("here", "degrees"), ("95, 10", "not on Earth"), ("nan, 1", "degrees")]
)
def test_a_place_that_is_none_is_refused_beside_its_field(office: Office, typed: str, said: str) -> None:
    answer = send(doubtful(office), ADDRESSES, at=typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert said in page
    assert f'name="at" value="{typed}"' in page
    assert places(office) == {"A1": None}


def test_two_people_who_settle_one_address_hear_of_each_other(office: Office) -> None:
    hers = hidden(doubtful(office).page(ADDRESSES), ADDRESSES)
    his = hidden(office.page(ADDRESSES), ADDRESSES)
    office.client.post(ADDRESSES, data=hers | {"candidate": "1"})
    answer = office.client.post(ADDRESSES, data=his | {"candidate": "2"})
    assert answer.status_code == 409
    assert "has changed meanwhile: it is now at Twin Street 1, North" in text_of(answer.get_data(as_text=True))
    assert places(office) == {"A1": NORTH}


def test_a_double_click_settles_once(office: Office) -> None:
    fields = hidden(doubtful(office).page(ADDRESSES), ADDRESSES) | {"candidate": "1"}
    assert [office.client.post(ADDRESSES, data=fields).status_code for _ in range(2)] == [303, 303]
    assert audited(office) == ["address.settled"]


def test_a_record_or_candidate_that_does_not_exist_is_not_settled(office: Office) -> None:
    fields = hidden(doubtful(office).page(ADDRESSES), ADDRESSES)
    assert office.client.post(ADDRESSES, data=fields | {"record_id": "A9", "candidate": "1"}).status_code == 404
    assert office.client.post(ADDRESSES, data=fields | {"candidate": "3"}).status_code == 404
    assert office.client.post(ADDRESSES, data=fields | {"kind": "lead", "candidate": "1"}).status_code == 400
    assert places(office) == {"A1": None}


def test_many_addresses_are_shown_in_pages(office: Office) -> None:
    office.know(*(Account(f"B{number:03}", f"Shop {number}", Address("Nowhere 1")) for number in range(120)))
    assert "Page 1 of 3" in office.text(ADDRESSES)
    assert "Shop 119" in office.text(f"{ADDRESSES}?page=3")
    assert "Shop 119" in office.text(f"{ADDRESSES}?page=99")
    page = office.page(f"{ADDRESSES}?page=2")
    action = f"{ADDRESSES}?page=2"
    answer = office.client.post(action, data=hidden(page, ADDRESSES) | {"at": "60, 25"})
    assert "page=2" in answer.location


def test_a_rep_s_end_is_settled_by_itself(office: Office) -> None:
    office.know(replace(ANN, end_address=Address("Elsewhere 1")))
    assert "Ann rep ann/end" in office.text(ADDRESSES)
    answer = send(office, ADDRESSES, record_id="ann/end", seen="", at="60.5, 25.5")
    assert answer.status_code == 409
