"""CSV and XLSX files become domain values; every row that cannot is named with its line, field and reason.

`tables` reads a file into rows of text, `cells` turns one text into one value, `records` turns a table into records,
`importing` is the use case that writes them to the store. docs/data-formats.md describes the files to people.
"""

from pathlib import Path

from planner.intake.importing import (
    FileReport,
    ImportReport,
    ReadTable,
    ReadTables,
    import_files,
    import_tables,
    read_records,
)
from planner.intake.records import Parsed, Refusal, parse_accounts, parse_opportunities, parse_reps
from planner.intake.tables import UPLOADED, Row, Table, read_table

EXAMPLES = Path(__file__).parent / "examples"
"""A file of each kind to copy from, with all columns: reps.csv, accounts.csv, opportunities.csv, hotels.csv."""

__all__ = [
    "EXAMPLES",
    "UPLOADED",
    "FileReport",
    "ImportReport",
    "Parsed",
    "ReadTable",
    "ReadTables",
    "Refusal",
    "Row",
    "Table",
    "import_files",
    "import_tables",
    "parse_accounts",
    "parse_opportunities",
    "parse_reps",
    "read_records",
    "read_table",
]
