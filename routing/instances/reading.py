"""Text files of numbers, read line by line: what is wrong is said with file, line and field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from routing.errors import InstanceError

MOST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank, with its number from 1 and the name of its file."""

    file: str
    number: int
    text: str

    def wrong(self, message: str) -> InstanceError:
        return InstanceError(f"{self.file}: line {self.number}: {message}")

    def fields(self, *names: str) -> list[str]:
        """The line's words, as many as there are names.

        Raises:
            InstanceError: they are fewer or more.
        """
        words = self.text.split()
        if len(words) < len(names):
            raise self.wrong(f"{names[len(words)]} is missing")
        if len(words) > len(names):
            raise self.wrong(f"{words[len(names)][:40]!r} stands after {names[-1]}, where nothing may")
        return words

    def number_of(self, name: str, word: str, least: float = 0, most: float = 1e6) -> float:
        """A word as a number.

        Raises:
            InstanceError: it is none, or not between the bounds.
        """
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if math.isnan(value):
            raise self.wrong(f"{name} is {word[:40]!r}, not a number")
        if not least <= value <= most:
            raise self.wrong(f"{name} is {word[:40]}, not between {least:g} and {most:g}")
        return value

    def whole(self, name: str, word: str, least: int = 0, most: int = 1_000_000) -> int:
        """A word as a whole number.

        Raises:
            InstanceError: it is none, or not between the bounds.
        """
        value = self.number_of(name, word, least, most)
        if value != int(value):
            raise self.wrong(f"{name} is {word[:40]}, not a whole number")
        return int(value)


def lines_of(path: Path) -> list[Line]:
    """The lines of a file that are not blank.

    Raises:
        InstanceError: it is too large or not text.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InstanceError(f"{path.name}: {size:,} bytes are more than such a file has")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InstanceError(f"{path.name}: is not UTF-8 text") from error
    if "\0" in text:
        raise InstanceError(f"{path.name}: line {text[: text.index(chr(0))].count(chr(10)) + 1}: holds a NUL byte")
    return [Line(path.name, k, line.strip()) for k, line in enumerate(text.split("\n"), start=1) if line.strip()]
