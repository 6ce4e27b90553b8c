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

MAX_UNPACKED_BYTES = 100_000_000
"""XLSX is a zip file, and less than one megabyte can unpack to hundreds."""


def workbook_rows(path: Path, max_columns: int) -> Iterator[tuple[int, list[str], str]]:
    """Row number, texts and "" of each row of the first sheet; formulas count as the value last saved for them.

    Raises:
        IntakeError: it is no workbook, or it unpacks to more than 100 MB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise IntakeError(
                f"{path.name} unpacks to {unpacked / 1e6:,.0f} MB; at most {MAX_UNPACKED_BYTES / 1e6:,.0f} MB are read"
            )
        # openpyxl judges a path by its ending, and people name workbooks .csv.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations that do not matter here
            workbook = load_workbook(file, read_only=True, data_only=True)
            try:
                if not workbook.worksheets:
                    raise IntakeError(f"{path.name} has no sheet")
                sheet = workbook.worksheets[0]
                sheet.reset_dimensions()  # some programs write a wrong size, which would hide rows
                for number, row in enumerate(sheet.iter_rows(max_col=max_columns, values_only=True), start=1):
                    yield number, [_text(value) for value in row], ""
            finally:
                workbook.close()
    except IntakeError:
        raise
    except Exception as error:  # a broken workbook raises whatever zip, XML or openpyxl trip over first
        raise IntakeError(f"{path.name} is not a readable XLSX workbook: {error}") from error


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
