"""CSV and XLSX files become domain values; every row that cannot is named with its line, field and reason.

`tables` reads a file into rows of text, `cells` turns one text into one value, `records` turns a table into records,
`importing` is the use case that writes them to the store. docs/data-formats.md describes the files to people.
"""

from planner.intake.importing import FileReport, ImportReport, import_files
from planner.intake.records import Parsed, Refusal, parse_accounts, parse_opportunities, parse_reps
from planner.intake.tables import Row, Table, read_table

__all__ = [
    "FileReport",
    "ImportReport",
    "Parsed",
    "Refusal",
    "Row",
    "Table",
    "import_files",
    "parse_accounts",
    "parse_opportunities",
    "parse_reps",
    "read_table",
]
