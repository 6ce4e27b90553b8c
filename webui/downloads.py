"""Lists as files that a spreadsheet opens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from flask import Response, abort

from planner.exporting import CSV_TYPE, XLSX_TYPE, Cell, as_csv, as_xlsx


def sheet(kind: str, name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A list as CSV or XLSX; 404 for another kind. Of `name` letters, digits and hyphens are kept."""
    if kind not in ("csv", "xlsx"):
        abort(404, description="Lists are saved as .csv or .xlsx.")
    safe = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:80] or "list"
    content = as_csv(columns, rows) if kind == "csv" else as_xlsx(safe, columns, rows)
    response = Response(content, content_type=CSV_TYPE if kind == "csv" else XLSX_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=f"{safe}.{kind}")
    return response
