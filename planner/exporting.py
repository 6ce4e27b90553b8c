"""Lists as files that spreadsheet programs open, in which no customer's name is ever a formula."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.cell.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

Cell = str | int | float | date | datetime | None
"""Times are local ones, without their zone: no spreadsheet knows zones."""

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""Also in full width, which some programs read as the narrow ones."""
_UNSEEN = frozenset({"Cf", "Cc", "Mn", "Me", "Zs"})
"""Categories of Unicode: zero-width and other formatting, controls, marks that stand on nothing, blanks."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MOST_IN_A_CELL = 32_767
_MOST_ROWS = 1_048_576
_LEAST_WIDTH, _MOST_WIDTH = 8, 60
_MEASURED_ROWS = 200
"""So many rows say how wide a column is: of a file that is written as it is read no more are known."""


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file (RFC 4180) in UTF-8 with the mark by which Excel knows that it is.

    A text that a spreadsheet program would take for a formula gets an apostrophe in front; numbers and days are plain.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_csv_cell(name) for name in columns])
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _csv_cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool() | int():
            return str(cell)
        case float():
            return repr(cell) if math.isfinite(cell) else ""
        case datetime():
            return cell.isoformat(sep=" ", timespec="minutes")
        case date():
            return cell.isoformat()
        case _:
            text = _NOT_IN_XML.sub("", cell)
            return f"'{text}" if _begins_a_formula(text) else text


def _begins_a_formula(text: str) -> bool:
    """Whether some program may read a text as a formula: blanks of all kinds, and characters that nobody sees, are
    dropped by some of them."""
    for char in text:
        if char in _FORMULA:
            return True
        if not char.isspace() and unicodedata.category(char) not in _UNSEEN:
            return False
    return False


def as_xlsx(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook with one sheet, whose first row stays in sight.

    Texts are texts whatever they begin with; numbers, days and times are such.
    """
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(re.sub(r"[\\/*?:\[\]]", " ", _NOT_IN_XML.sub("", title))[:31] or "List")
    table = [list(row) for row in rows]
    for number, name in enumerate(columns):
        texts = [name, *(_shown(row[number]) for row in table[:_MEASURED_ROWS])]
        width = max(len(text) for text in texts) + 2
        sheet.column_dimensions[get_column_letter(number + 1)].width = min(max(width, _LEAST_WIDTH), _MOST_WIDTH)
    sheet.freeze_panes = "A2"

    def text_cell(text: str, bold: bool = False) -> SheetCell | None:
        kept = _NOT_IN_XML.sub("", text)[:_MOST_IN_A_CELL]
        if not kept:
            return None
        cell: SheetCell = WriteOnlyCell(sheet, value=kept)
        cell.data_type = "s"  # whatever it was taken for
        if bold:
            cell.font = Font(bold=True)
        return cell

    sheet.append([text_cell(name, bold=True) for name in columns])
    for row in table[: _MOST_ROWS - 1]:
        sheet.append([text_cell(cell) if isinstance(cell, str) else cell for cell in row])
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _shown(cell: Cell) -> str:
    return "" if cell is None else _csv_cell(cell)
