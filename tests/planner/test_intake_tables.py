"""Files as people and programs save them, and files that want to do harm."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from planner.errors import IntakeError
from planner.intake import read_table
from planner.intake.tables import UPLOADED, Limits

JAPANESE = ["山田商店", "東京都千代田区丸の内1-1", "ｶﾌﾞｼｷｶﾞｲｼﾔ"]
WESTERN = ["Café Müller", "King’s Straße 3", "Größe"]


def written(folder: Path, content: bytes, name: str = "accounts.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def workbook(path: Path, cells: dict[str, Any]) -> Path:
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.worksheets[0][place] = value
    book.save(path)
    return path


def texts(path: Path) -> list[list[str]]:
    return [list(row.cells.values()) for row in read_table(path).rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("encoding", "cells"),
    [
        ("utf-8", JAPANESE),
        ("utf-8-sig", JAPANESE),
        ("utf-16", JAPANESE),
        ("cp932", JAPANESE),
        ("utf-8", WESTERN),
        ("utf-8-sig", WESTERN),
        ("utf-16", WESTERN),
        ("cp1252", WESTERN),
    ],
)
def test_every_encoding_is_read_with_every_delimiter(
    tmp_path: Path, delimiter: str, encoding: str, cells: list[str]
) -> None:
    lines = [delimiter.join(("account_id", "name", "address", "note")), delimiter.join(("A1", *cells))]
    path = written(tmp_path, "\r\n".join(lines).encode(encoding))
    assert texts(path) == [["A1", *cells]]


@pytest.mark.parametrize("text", ["Joe’s", "Hétel du Nord", "Über uns", "£500", "Ça va"])
def test_single_western_letters_are_not_taken_for_japanese(tmp_path: Path, text: str) -> None:
    assert texts(written(tmp_path, f"name\n{text}\n".encode("cp1252"))) == [[text]]


def test_utf_16_in_either_byte_order_is_read(tmp_path: Path) -> None:
    for encoding, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        assert texts(written(tmp_path, mark + "name\nÅsa\n".encode(encoding))) == [["Åsa"]]


def test_a_row_with_damaged_bytes_is_named_and_does_not_change_how_the_others_are_read(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "name\nZoë\nÅsa\n".encode() + b"Caf\xe9\n" + "Øre\n".encode()))
    assert [row.text("name") for row in table.rows if not row.problem] == ["Zoë", "Åsa", "Øre"]
    (bad,) = [row for row in table.rows if row.problem]
    assert bad.line == 4
    assert bad.problem is not None
    assert bad.problem.field == "name"


def test_column_names_match_in_any_case_and_keep_their_spelling(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b" Account-ID ,NAME, Parking Code\nA1,Bar,7\n"))
    assert table.columns == {"account_id": "Account-ID", "name": "NAME", "parking_code": "Parking Code"}


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = written(tmp_path, b'\nid,notes\n1,"two\nlines"\n\n2,x\n,\n3,"a ""quoted"" word"\n')
    assert [(row.line, row.text("id")) for row in read_table(path).rows] == [(3, "1"), (6, "2"), (8, "3")]


def test_the_delimiter_hint_of_a_spreadsheet_is_no_header(tmp_path: Path) -> None:
    assert list(read_table(written(tmp_path, b"sep=;\nid;name\n1;x\n")).columns) == ["id", "name"]


def test_a_column_without_a_name_is_kept_by_its_position(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b"id,,name,\n1,extra,x,\n"))
    assert table.rows[0].cells == {"id": "1", "column_2": "extra", "name": "x"}


def test_a_quotation_mark_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    rows = "".join(f"{n},name {n}\n" for n in range(4, 3000))
    table = read_table(written(tmp_path, f'id,name\n2,x\n3,"open\n{rows}'.encode()))
    bad = [row for row in table.rows if row.problem]
    assert [row.line for row in bad] == [3]
    assert "quotation mark" in bad[0].problem.message  # type: ignore[union-attr]
    assert len(table.rows) == 2998


def test_a_quotation_mark_that_a_later_row_closes_costs_one_row(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b'id,name,address\n2,"Bar,1 Road\n3,Pub,"2 Road, Town"\n4,Inn,3 Road\n'))
    assert [(row.line, bool(row.problem)) for row in table.rows] == [(2, True), (3, False), (4, False)]


def test_a_cell_with_a_delimiter_outside_quotes_is_refused_rather_than_shifted(tmp_path: Path) -> None:
    (row,) = read_table(written(tmp_path, b"id,address,city\n1,Unit 3, 1 Lee Way,Newport\n")).rows
    assert row.problem is not None
    assert "more cells" in row.problem.message


def test_a_hundred_megabyte_row_costs_one_row_and_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.write(b"id,name\n1,")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\n2,good\n")
    tracemalloc.start()
    try:
        table = read_table(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [(row.line, bool(row.problem)) for row in table.rows] == [(2, True), (3, False)]
    assert peak < 20_000_000


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(200_000_001)
    with pytest.raises(IntakeError, match=r"huge\.csv is 200 MB"):
        read_table(path)


def test_an_upload_may_be_a_tenth_as_large_and_is_called_by_the_name_that_a_person_knows(tmp_path: Path) -> None:
    path = tmp_path / "tmp1234"
    with path.open("wb") as file:
        file.truncate(20_000_001)
    with pytest.raises(IntakeError, match=r"^accounts\.csv is 20 MB; at most 20 MB are read$"):
        read_table(path, "accounts.csv", UPLOADED)


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    limits = Limits(rows=3)
    assert len(read_table(written(tmp_path, b"id\n1\n2\n3\n"), limits=limits).rows) == 3
    with pytest.raises(IntakeError, match="more than 3 rows"):
        read_table(written(tmp_path, b"id\n1\n2\n3\n4\n"), limits=limits)


def test_a_nul_byte_is_named_by_row_and_column(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b"id,name\n1,good\n2,b\0ad\n3,good\n"))
    (bad,) = [row for row in table.rows if row.problem]
    assert bad.problem is not None
    assert (bad.line, bad.problem.field, bad.problem.message) == (3, "name", "holds a NUL byte")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n,,\n", "is empty"),
        (b"id,name,ID\n", "two columns named"),
        (b"\xe9\xff\xfd\xfc,\xd3\xf1a\n\xff", "is no table: its first row is not text"),
        (b"\x7fELF\x02\x01\0\0\n\0\0", "is this a CSV or XLSX table"),
        ("id,name\n".encode("utf-16-le"), "is this a CSV or XLSX table"),
        (b'id,"name\n', "header cannot be read"),
        (b",".join(b"c%d" % n for n in range(201)), "more than 200 columns"),
        (b"x" * 150_000, "longer than 100,000"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old .xls"),
        (b"PK\x03\x04 not a zip", "not a readable XLSX"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(IntakeError, match=message):
        read_table(written(tmp_path, content))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"nowhere\.csv cannot be read"):
        read_table(tmp_path / "nowhere.csv")
    with pytest.raises(IntakeError, match="is not a file"):
        read_table(tmp_path)


def test_a_workbook_reads_as_the_same_rows_typed_into_csv(tmp_path: Path) -> None:
    values: dict[str, tuple[Any, str]] = {
        "day": (date(2026, 11, 30), "2026-11-30"),
        "moment": (datetime.fromisoformat("2026-12-03T14:00"), "2026-12-03T14:00:00"),
        "at": (time(9, 0), "09:00:00"),
        "whole": (45.0, "45"),
        "amount": (123.456, "123.4560"),
        "flag": (True, "true"),
        "share": (0.5, "0.5"),
        "blank": (None, ""),
    }
    cells: dict[str, Any] = {}
    for letter, (name, (value, _)) in zip("ABCDEFGH", values.items(), strict=True):
        cells |= {f"{letter}1": name, f"{letter}3": value}
    table = read_table(workbook(tmp_path / "book.xlsx", cells))
    assert [row.line for row in table.rows] == [3]
    assert table.rows[0].cells == {name: text for name, (_, text) in values.items()}


def test_a_workbook_under_another_name_is_read_all_the_same(tmp_path: Path) -> None:
    book = workbook(tmp_path / "book.xlsx", {"A1": "account_id", "A2": "A1"})
    assert texts(book.rename(tmp_path / "book.csv")) == [["A1"]]


def test_a_formula_counts_as_its_saved_value_and_is_never_computed(tmp_path: Path) -> None:
    cells = {"A1": "id", "B1": "name", "A2": "A1", "B2": '=HYPERLINK("http://evil.example","x")'}
    assert texts(workbook(tmp_path / "book.xlsx", dict(cells))) == [["A1", ""]]


def test_a_workbook_that_unpacks_to_hundreds_of_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/sharedStrings.xml", "w") as member,
    ):
        for _ in range(101):
            member.write(b" " * 1_000_000)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(IntakeError, match=r"unpacks to more than 100 MB"):
        read_table(path)


def test_a_workbook_of_thousands_of_files_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "many.xlsx", {"A1": "id", "A2": "A1"})
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(2001):
            archive.writestr(f"xl/media/{number}", b"")
    with pytest.raises(IntakeError, match="unpacks to more than"):
        read_table(path)


def sheet(path: Path, rows: str, strings: str = "") -> Path:
    """A workbook whose first sheet has been written by hand."""
    workbook(path, {"A1": "id", "B1": "name", "A2": "text"})
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    members["xl/worksheets/sheet1.xml"] = (
        f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    )
    if strings:
        members["xl/sharedStrings.xml"] = f'<sst xmlns="{main}">{strings}</sst>'.encode()
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
        members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(b"</Types>", part.encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


HEADER = '<row r="1"><c t="inlineStr"><is><t>id</t></is></c></row>'


def test_cells_that_share_one_long_text_do_not_multiply_it(tmp_path: Path) -> None:
    rows = '<row><c t="s"><v>0</v></c></row>' * 700
    path = sheet(tmp_path / "shared.xlsx", HEADER + rows, f"<si><t>{'x ' * 45_000}</t></si>")
    assert path.stat().st_size < 20_000
    with pytest.raises(IntakeError, match="unpacks to more than 50 MB"):
        read_table(path, limits=UPLOADED)


def test_a_row_of_a_workbook_that_is_too_long_is_refused_alone(tmp_path: Path) -> None:
    rows = f'<row><c t="inlineStr"><is><t>{"x" * 100_001}</t></is></c></row><row><c><v>7</v></c></row>'
    table = read_table(sheet(tmp_path / "long.xlsx", HEADER + rows))
    assert [(row.line, bool(row.problem)) for row in table.rows] == [(2, True), (3, False)]


@pytest.mark.parametrize("row", [1_048_577, 2_000_000_000])
def test_a_row_far_below_all_others_is_refused_and_not_counted_up_to(tmp_path: Path, row: int) -> None:
    path = sheet(tmp_path / "deep.xlsx", f'{HEADER}<row r="{row}"><c><v>1</v></c></row>')
    with pytest.raises(IntakeError, match="a row below number 1,048,576"):
        read_table(path)


def test_entities_that_expand_to_billions_are_not_expanded(tmp_path: Path) -> None:
    path = tmp_path / "laughs.xlsx"
    sheet(path, HEADER)
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    members["xl/worksheets/sheet1.xml"] = f'<!DOCTYPE w [<!ENTITY l0 "ha">{entities}]>'.encode() + members[
        "xl/worksheets/sheet1.xml"
    ].replace(b">id<", b">&l9;<")
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    with pytest.raises(IntakeError, match=r"laughs\.xlsx is not a readable XLSX workbook"):
        read_table(path)


def test_what_is_said_of_a_broken_workbook_does_not_name_the_server_s_own_file(tmp_path: Path) -> None:
    path = written(tmp_path, b"PK\x03\x04 and then nothing", "tmp1234")
    with pytest.raises(IntakeError, match=r"^accounts\.xlsx is not a readable XLSX workbook") as refused:
        read_table(path, "accounts.xlsx")
    assert "tmp1234" not in str(refused.value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<nothing/>")
    with pytest.raises(IntakeError) as refused:
        read_table(path, "accounts.xlsx")
    assert "tmp1234" not in str(refused.value)


def test_a_workbook_with_a_cell_at_the_far_corner_is_read_in_no_time(tmp_path: Path) -> None:
    cells: dict[str, Any] = {"A1": "id", "A2": "A1", "XFD9999": "far"}
    assert texts(workbook(tmp_path / "book.xlsx", cells)) == [["A1"]]
