"""The first sheet of an XLSX workbook as rows of text."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from openpyxl import load_workbook

from planner.errors import IntakeError

MAX_MEMBERS = 2_000
MAX_SHEET_ROWS = 1 << 20
"""As many as spreadsheet programs have; a file may claim a row of any number and leave out all before it."""


def workbook_rows(
    path: Path, name: str, max_columns: int, max_row_chars: int, max_bytes: int
) -> Iterator[tuple[int, list[str], str]]:
    """Row number, texts and problem (or "") of each row of the first sheet that is not blank.

    Formulas count as the value last saved for them. `max_bytes` is what the workbook may unpack to, and what the texts
    of the rows may come to: XLSX is a zip file, less than one megabyte of which can unpack to hundreds, and any number
    of its cells can share one text.

    Raises:
        IntakeError: it is no workbook, or too large.
    """
    too_large = f"{name} unpacks to more than {max_bytes / 1e6:,.0f} MB; import it in parts"
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > max_bytes:
            raise IntakeError(too_large)
        # openpyxl judges a path by its ending, and people name workbooks .csv.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations that do not matter here
            workbook = load_workbook(file, read_only=True, data_only=True)
            try:
                if not workbook.worksheets:
                    raise IntakeError(f"{name} has no sheet")
                sheet = workbook.worksheets[0]
                sheet.reset_dimensions()  # some programs write a wrong size, which would hide rows
                chars = 0
                for number, row in enumerate(sheet.iter_rows(max_col=max_columns, values_only=True), start=1):
                    if number > MAX_SHEET_ROWS:
                        raise IntakeError(f"{name} has a row below number {MAX_SHEET_ROWS:,}")
                    if row.count(None) == len(row):
                        continue
                    texts = [_text(value) for value in row]
                    length = sum(map(len, texts))
                    if length > max_row_chars:
                        yield number, [], f"is longer than {max_row_chars:,} characters"
                        continue
                    chars += length
                    if chars > max_bytes:
                        raise IntakeError(too_large)
                    yield number, texts, ""
            finally:
                workbook.close()
    except IntakeError:
        raise
    except Exception as error:  # a broken workbook raises whatever zip, XML or openpyxl trip over first
        said = (str(error).splitlines() or [""])[0].replace(str(path), name)[:200]
        raise IntakeError(f"{name} is not a readable XLSX workbook: {said or 'it is broken'}") from error


def _text(value: object) -> str:
    """A cell's value as somebody would have typed it into a CSV file."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return f"{value:.0f}"
        case float():
            text = repr(value)
            # Three decimals would look like thousands: 1.234 (see `cells.parse_money`).
            return text + "0" if re.search(r"\.\d{3}$", text) else text
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            minutes = round(value.total_seconds() / 60)
            return f"{minutes // 60:02}:{minutes % 60:02}"
        case _:
            return str(value)
