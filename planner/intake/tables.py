"""A CSV or XLSX file as rows of text with the line numbers that a person sees in an editor."""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from planner.errors import IntakeError, InvalidRecordError
from planner.intake.workbook import workbook_rows

MAX_COLUMNS = 200
MAX_ROW_CHARS = 100_000
"""Of one row; below the csv module's own limit for one cell, so that this one speaks first."""
MAX_ROW_LINES = 500
"""Of one row with line breaks in quoted cells; bounds what a missing quotation mark can make us read twice."""

_DELIMITERS = ",;\t"
_CHUNK = 1 << 20
_WIDE_RUN = re.compile("[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]{2,}")
_UNDECODABLE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be; `unpacked_bytes` is for the inside of an XLSX workbook."""

    file_bytes: int = 200_000_000
    unpacked_bytes: int = 100_000_000
    rows: int = 200_000


ON_DISK = Limits()
UPLOADED = Limits(file_bytes=20_000_000, unpacked_bytes=50_000_000, rows=20_000)
"""Anybody who may import can send as many as they like, and everybody who writes waits while one is stored."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: trimmed text by column key. `problem` says why it must be refused, whatever its cells hold."""

    line: int
    cells: Mapping[str, str]
    problem: InvalidRecordError | None = None

    def text(self, column: str) -> str:
        """The cell's text, empty where the row or the file has none."""
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows. `columns` maps a column's key (lower case, `_` for blanks and hyphens) to its name as typed."""

    file: str
    columns: Mapping[str, str]
    rows: Sequence[Row]
    encoding: str

    def column(self, key: str) -> list[str]:
        """The column's non-empty texts, top to bottom."""
        return [text for row in self.rows if (text := row.text(key))]


def read_table(path: Path, name: str = "", limits: Limits = ON_DISK) -> Table:
    """Read a CSV file (see `detect_encoding` and `detect_delimiter`) or the first sheet of an XLSX workbook.

    The first row that is not blank is the header; blank rows are skipped. `name` is what a person calls the file, if
    that is not its path's.

    Raises:
        IntakeError: the file is missing, empty, too large, or no table at all.
    """
    name = name or path.name
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise IntakeError(f"{name} is not a file")
        if size > limits.file_bytes:
            raise IntakeError(f"{name} is {size / 1e6:,.0f} MB; at most {limits.file_bytes / 1e6:,.0f} MB are read")
        with path.open("rb") as file:
            magic = file.read(8)
        if magic.startswith(b"PK\x03\x04"):
            rows = workbook_rows(path, name, MAX_COLUMNS + 1, MAX_ROW_CHARS, limits.unpacked_bytes)
            return _table(name, rows, "XLSX", limits.rows)
        if magic.startswith(b"\xd0\xcf\x11\xe0"):
            raise IntakeError(f"{name} is an old .xls workbook; save it as .xlsx or CSV")
        encoding = detect_encoding(path)
        # Bytes that the encoding does not know become lone surrogates, by which their rows are found and refused.
        errors = "replace" if encoding == "utf-16" else "surrogateescape"
        with path.open(encoding=encoding, errors=errors, newline="") as text:
            delimiter = detect_delimiter(next(filter(str.strip, _lines(text)), ""))
            text.seek(0)
            return _table(name, _csv_rows(_lines(text), delimiter), encoding, limits.rows)
    except OSError as error:
        raise IntakeError(f"{name} cannot be read: {error.strerror or error}") from error


def detect_encoding(path: Path) -> str:
    """The file's encoding by its byte order mark, else UTF-8, Shift_JIS (as cp932) or Windows-1252, whichever fits.

    A file counts as UTF-8 when it holds more characters that are than are not, so that one damaged row does not turn
    all others into gibberish. It counts as Shift_JIS when it decodes as such and most of what is not ASCII then stands
    in runs of Japanese characters: western letters that happen to decode give single ones.
    """
    with path.open("rb") as file:
        start = file.read(3)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start == codecs.BOM_UTF8:
        return "utf-8-sig"
    good = damaged = japanese = foreign = 0
    for text in _decoded(path, "utf-8", "surrogateescape"):
        sound = len(text.encode("utf-8", "ignore").decode())
        damaged += len(text) - sound
        good += sound - len(text.encode("ascii", "ignore"))
    if not damaged or good > damaged:
        return "utf-8"
    try:
        for text in _decoded(path, "cp932", "strict"):
            japanese += sum(map(len, _WIDE_RUN.findall(text)))
            foreign += len(text) - len(text.encode("ascii", "ignore"))
    except UnicodeDecodeError:
        return "cp1252"
    return "cp932" if japanese * 2 >= foreign else "cp1252"


def detect_delimiter(header: str) -> str:
    """Comma, semicolon or tab: the one that cuts the header line into the most cells."""
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))


def _decoded(path: Path, encoding: str, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _lines(file: TextIO) -> Iterator[str]:
    """Physical lines; of one that is too long only the beginning, the rest is passed over without keeping it."""
    while line := file.readline(MAX_ROW_CHARS + 1):
        rest = line
        while len(line) > MAX_ROW_CHARS and rest and not rest.endswith(("\n", "\r")):
            rest = file.readline(_CHUNK)
        yield line


def _csv_rows(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Line number, cells and problem (or "") of each row.

    A row that cannot be read costs its own first line only: reading goes on with the next line, so a quotation mark
    that is never closed swallows nobody else.
    """
    ahead: deque[str] = deque()

    def feed() -> Iterator[str]:
        position, chars = 0, 0
        while position < MAX_ROW_LINES and chars <= MAX_ROW_CHARS:
            if position == len(ahead):
                line = next(lines, None)
                if line is None:
                    return
                ahead.append(line)
            chars += len(ahead[position])
            yield ahead[position]
            position += 1

    number = 1
    while True:
        reader = csv.reader(feed(), delimiter=delimiter, strict=True, skipinitialspace=True)
        cells: list[str] = []
        used, problem = 1, ""
        try:
            cells = next(reader)
            used = reader.line_num
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"cannot be read as CSV ({error}); is a quotation mark missing?"
        if len(ahead[0]) > MAX_ROW_CHARS:
            cells, problem = [], f"is longer than {MAX_ROW_CHARS:,} characters"
        yield number, cells, problem
        number += used
        for _ in range(used):
            ahead.popleft()


def _table(file: str, rows: Iterator[tuple[int, list[str], str]], encoding: str, max_rows: int) -> Table:
    filled = ((line, cells, problem) for line, cells, problem in rows if problem or any(map(str.strip, cells)))
    header: list[str] = []
    for line, header, problem in filled:
        if problem:
            raise IntakeError(f"{file}, line {line}: the header {problem}")
        if header[0].strip().lower() != "sep=":  # Excel's hint about the delimiter
            break
    else:
        raise IntakeError(f"{file} is empty")
    columns = _columns(file, header, encoding)
    found: list[Row] = []
    for line, cells, problem in filled:
        if len(found) == max_rows:
            raise IntakeError(f"{file} has more than {max_rows:,} rows; import it in parts")
        found.append(_row(line, list(columns), cells, problem))
    return Table(file, columns, found, encoding)


def _is_gibberish(text: str) -> bool:
    """Whether bytes of another kind were taken for western letters, as nearly all bytes can be."""
    plain = sum(letter.isascii() and letter.isalnum() for letter in text)
    return plain < sum(not letter.isascii() for letter in text)


def _columns(file: str, header: Sequence[str], encoding: str) -> dict[str, str]:
    if encoding == "cp1252" and _is_gibberish("".join(header)):
        raise IntakeError(f"{file} is no table: its first row is not text")
    names = [" ".join(name.split()) for name in header]
    while not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise IntakeError(f"{file} has more than {MAX_COLUMNS} columns")
    columns: dict[str, str] = {}
    for position, typed in enumerate(names, start=1):
        name = typed or f"column {position}"
        if not name.isprintable() or len(name) > 100:
            raise IntakeError(f"{file}: the header is no list of column names; is this a CSV or XLSX table?")
        key = re.sub(r"[\s-]+", "_", name.lower())
        if key in columns:
            raise IntakeError(f"{file} has two columns named {name!r}")
        columns[key] = name
    return columns


def _row(line: int, keys: Sequence[str], texts: Sequence[str], unreadable: str) -> Row:
    stripped = [text.strip() for text in texts]
    cells = dict(zip(keys, stripped, strict=False))
    surplus = [text for text in stripped[len(keys) :] if text]
    problem = None
    if unreadable:
        problem = InvalidRecordError("", unreadable)
    elif surplus:
        problem = InvalidRecordError(
            "", f"has more cells than the header has columns ({len(keys)}); is a cell with a delimiter not in quotes?"
        )
    for key, text in cells.items():
        if "\0" in text:
            problem = InvalidRecordError(key, "holds a NUL byte")
        elif _UNDECODABLE.search(text):
            problem = InvalidRecordError(key, "holds bytes that do not belong to the file's encoding")
    return Row(line, cells, problem)
