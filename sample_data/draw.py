"""Copy the sample data with all its dates moved to another week.

    python sample_data/draw.py --monday 2026-12-07 OUT_FOLDER

The files beside this script fit the week that begins on Monday, 30 November 2026. Dates move by whole weeks, so that
every weekday stays what it was: what was qualified on a Friday still was, and a deadline in working days passes the
same weekend. Times of day stay as well. The same Monday always gives the same files.
"""

from __future__ import annotations

import argparse
import csv
from datetime import date, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
DRAWN_FOR = date(2026, 11, 30)
FILES = ("reps.csv", "accounts.csv", "opportunities.csv")
DATES = ("last_visit", "last_order")
LOCAL_TIMES = ("lead_at", "contacted_at", "qualified_at", "appointment")


def draw(monday: date, folder: Path) -> None:
    """Write reps.csv, accounts.csv and opportunities.csv for the week of a Monday into a folder, made if need be.

    Raises:
        ValueError: the day is not a Monday, or the folder is the one of the originals.
    """
    if monday.weekday() != 0:
        raise ValueError(f"{monday} is a {monday:%A}; name the Monday of a week")
    if folder.resolve() == HERE:
        raise ValueError("the copies would replace the originals; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        with (HERE / name).open(encoding="utf-8", newline="") as source:
            header, *rows = csv.reader(source)
        with (folder / name).open("w", encoding="utf-8", newline="") as target:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(
                [moved(column, text, monday - DRAWN_FOR) for column, text in zip(header, row, strict=True)]
                for row in rows
            )


def moved(column: str, text: str, by: timedelta) -> str:
    """A cell's text, later by some days if its column holds dates or local times; blank stays blank."""
    if text and column in DATES:
        return (date.fromisoformat(text) + by).isoformat()
    if text and column in LOCAL_TIMES:
        return (datetime.fromisoformat(text) + by).isoformat(timespec="minutes")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description="Copy the sample data with all its dates moved to another week.")
    parser.add_argument("--monday", type=date.fromisoformat, required=True, help="the week's Monday, year-month-day")
    parser.add_argument("folder", type=Path, help="where the three CSV files are written")
    arguments = parser.parse_args()
    try:
        draw(arguments.monday, arguments.folder)
    except (OSError, ValueError) as error:
        parser.exit(2, f"draw.py: {error}\n")


if __name__ == "__main__":
    main()
