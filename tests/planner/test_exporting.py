"""Lists as files: what a spreadsheet program makes of them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from datetime import date
from typing import Any

from cast import local
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from planner.exporting import Cell, as_csv, as_xlsx

COLUMNS = ("name", "days", "hours", "last visit")
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1+1", "＝1+1", "=cmd|' /C calc'!A0"]
UNSEEN = ["\u00a0=1", "\u200b=1", "\ufeff+1", " \u200d\u3000-1", "\u202e@SUM(A1)", "\u00ad＝1", "\u0301=1"]


def read_csv(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def read_xlsx(file: bytes) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(file)).worksheets[0]
    return [list(row) for row in sheet.iter_rows()]


def both(rows: Sequence[Sequence[Cell]]) -> tuple[list[list[str]], list[list[Any]]]:
    """The rows of both files, without the heads."""
    return read_csv(as_csv(COLUMNS, rows))[1:], read_xlsx(as_xlsx("List", COLUMNS, rows))[1:]


def test_excel_is_told_that_a_csv_file_is_utf_8() -> None:
    file = as_csv(COLUMNS, [("Bäckerei ☃", 1, 2.5, None)])
    assert file.startswith(b"\xef\xbb\xbf")
    assert read_csv(file) == [list(COLUMNS), ["Bäckerei ☃", "1", "2.5", ""]]
    assert file.endswith(b"\r\n")


def test_no_name_of_a_customer_becomes_a_formula() -> None:
    plain, cells = both([(name, 1, 1.0, None) for name in FORMULAS])
    assert [row[0] for row in plain] == [f"'{name}" for name in FORMULAS]
    assert all(row[0].data_type == "s" for row in cells)


def test_what_nobody_sees_before_a_formula_does_not_hide_it() -> None:
    plain, cells = both([(name, 1, 1.0, None) for name in UNSEEN])
    assert [row[0] for row in plain] == [f"'{name}" for name in UNSEEN]
    assert all(row[0].data_type == "s" for row in cells)
    ordinary = ["Mill = Farm", "\u00a0Mill", "\u200bA-1"]
    assert [row[0] for row in both([(name, 1, 1.0, None) for name in ordinary])[0]] == ordinary


def test_no_title_of_a_column_becomes_a_formula() -> None:
    assert read_csv(as_csv(["=1"], []))[0] == ["'=1"]
    assert read_xlsx(as_xlsx("List", ["=1"], []))[0][0].data_type == "s"


def test_numbers_and_days_are_numbers_and_days() -> None:
    plain, cells = both([("Mill", -3, 2.25, date(2026, 11, 30)), ("Farm", 0, -1.5, local("2026-11-30 09:30"))])
    assert plain == [["Mill", "-3", "2.25", "2026-11-30"], ["Farm", "0", "-1.5", "2026-11-30 09:30"]]
    assert [cell.value for cell in cells[0]] == ["Mill", -3, 2.25, local("2026-11-30 00:00")]
    assert [cell.data_type for cell in cells[0]] == ["s", "n", "n", "d"]
    assert cells[1][3].value == local("2026-11-30 09:30")


def test_a_number_that_is_none_is_an_empty_cell() -> None:
    plain, cells = both([("Mill", None, math.nan, None), ("Farm", None, math.inf, None)])
    assert [row[1:] for row in plain] == [["", "", ""]] * 2
    assert [[cell.value for cell in row[1:]] for row in cells] == [[None, None, None]] * 2


def test_what_no_file_can_hold_is_left_out_and_the_rest_of_the_text_stays() -> None:
    plain, cells = both([("a\0b\x0bc\ud800d", 1, 1.0, None)])
    assert plain[0][0] == cells[0][0].value == "abcd"


def test_a_text_that_is_too_long_for_a_cell_is_cut_in_a_workbook() -> None:
    assert len(both([("x" * 40_000, 1, 1.0, None)])[1][0][0].value) == 32_767


def test_the_head_of_a_workbook_stays_in_sight_and_columns_are_as_wide_as_their_texts() -> None:
    file = as_xlsx("Due: [all]/2", COLUMNS, [("Baker and Daughters", 1, 1.0, None), ("x" * 500, 1, 1.0, None)])
    sheet = load_workbook(io.BytesIO(file)).worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.title == "Due   all  2"
    assert sheet.column_dimensions["A"].width == 60
    assert sheet.column_dimensions["B"].width == 8


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_any_text_comes_out_as_one_cell_and_never_as_a_formula(texts: list[str]) -> None:
    rows = [(text, 1, 1.0, None) for text in texts]
    plain, cells = both(rows)
    assert len(plain) == len(cells) == len(texts)
    assert not any(row[0].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for row in plain)
    assert all(row[0].value is None or row[0].data_type == "s" for row in cells)
