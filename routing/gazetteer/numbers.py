"""House numbers as they are tagged and typed: `12a`, `12 bis`, `33 - 35; 33A`, `Unit 10`, `20-22`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from routing.gazetteer.words import fold

MAX_RANGE = 200
"""A longer range ("2286-9000") is taken as its two ends: more likely a slip than a terrace."""

_ATOM = r"\d{1,6}(?:\s?(?:bis|ter|quater)\b|\s?[a-z](?![a-z]))?"
_NUMBER = re.compile(rf"{_ATOM}(?:\s*[-/;,&+]\s*{_ATOM})*")
_ATOMS = re.compile(r"(\d{1,6})\s?(bis|ter|quater|[a-z](?![a-z]))?")
_DASHES = re.compile(r"[‐-―−]")
_UNIT_WORD = (
    r"units?|flats?|apartments?|apts?|appts?|appartements?|apto|suites?|ste|shops?|offices?|rooms?|rm|"
    r"studios?|plots?|bays?|kiosks?|blocks?|stalls?|wohnung|whg|top|etage|porte|lgh|lagenhet|huoneisto|as|c/o|#"
)
_FLOOR = r"floors?|fl|krs|kerros|storey|etage|stock|og|andar|piso|planta|piano|van"
_UNIT = re.compile(
    rf"(?<![^\W_])(?:(?:{_UNIT_WORD})[\s.]*(?P<id>[a-z]{{0,2}}\d+[a-z]?(?:\s*[-/&]\s*\d+[a-z]?)?|[a-z])(?![^\W_])"
    rf"|(?:\d+(?:st|nd|rd|th|[.ºª])?|ground|first|second|third|top|lower|upper)\s*(?:{_FLOOR})(?![^\W_])"
    rf"|(?:{_FLOOR})[\s.-]*\d+)"
)
UNIT_BEFORE_DASH = re.compile(rf"((?<![^\W_])(?:{_UNIT_WORD})[\s.]*\w+)\s+[-‐-―/;]\s+")
"""A unit that a dash sets apart from the house number."""
_NUMBER_SIGN = re.compile(r"(?<![^\W_])(?:no|nr|num|numero|number|n[º°]|nº|№)[\s.:]*(?=\d)")


@dataclass(frozen=True, slots=True)
class HouseNumber:
    """One tagged or typed number: its folded label, the numbers it names, and the ranges between them.

    `atoms` are what is written out ("33", "35", "33a"); `ranges` hold (first, last, step) of plain numbers.
    """

    label: str
    atoms: tuple[str, ...]
    ranges: tuple[tuple[int, int, int], ...]

    def names(self, atom: str) -> bool:
        """Whether the number is written out here: 33 in `33-35`, not 34."""
        return atom in self.atoms

    def spans(self, atom: str) -> bool:
        """Whether the number lies inside a range on its side of the street: 35 in `33-37`, 21 never in `20-22`."""
        if not atom.isdecimal():
            return False
        n = int(atom)
        return any(low <= n <= high and (n - low) % step == 0 for low, high, step in self.ranges)


def tidy(text: str) -> str:
    """Folded, with plain hyphens, and no space around the signs that join numbers."""
    text = _DASHES.sub("-", fold(text.replace("№", "no ")))
    return re.sub(r"(?<=[\da-z])\s*([-/;&+])\s*(?=\d)", r"\1", " ".join(text.split()))


@lru_cache(maxsize=65_536)
def parse_number(text: str) -> HouseNumber:
    """Read a house number; text without digits has no atoms and is equal only by its label."""
    text = _NUMBER_SIGN.sub("", tidy(text)).replace(",", ";").strip(" ;.")
    text = re.sub(r"(\d)\s(?=(?:bis|ter|quater|[a-z])\b)", r"\1", text)
    label = re.sub(r"\s*;\s*", ";", text)
    if not _NUMBER.fullmatch(label):
        label = " ".join(re.findall(r"[^\W_]+", label))
        return HouseNumber(label, (), ())
    atoms, ranges = [], []
    for piece in re.split(r"[;/&+]", label):
        ends = ["".join(found) for found in _ATOMS.findall(piece)]
        atoms.extend(ends)
        if len(ends) == 2 and all(end.isdecimal() for end in ends):
            low, high = sorted(map(int, ends))
            if high - low <= MAX_RANGE:
                ranges.append((low, high, 1 if (high - low) % 2 else 2))
    return HouseNumber(label, tuple(dict.fromkeys(atoms)), tuple(ranges))


def split_unit(text: str) -> tuple[str, str]:
    """Take "Unit 3" or "2nd floor" out of a text: (what is left, the unit's own number or letter, folded)."""
    text = tidy(text)
    found = _UNIT.search(text)
    if not found:
        return text, ""
    rest = " ".join(_UNIT.sub(" ", text).split()).strip(" ,-")
    return rest, re.sub(r"\s", "", found["id"] or "")


def unit_id(text: str) -> str:
    """What tells units apart: `Unit 2`, `unit 2` and `2` are all `2`."""
    return split_unit(text)[1] or "".join(re.findall(r"[^\W_]+", tidy(text)))


def first_number(text: str) -> tuple[str, str]:
    """(number, what follows it) if the text begins with a house number, else ("", text); text is tidy."""
    text = _NUMBER_SIGN.sub("", text.strip())
    found = re.match(rf"{_NUMBER.pattern}(?![^\W_])", text)
    return (found[0], text[found.end() :].strip(" ,")) if found else ("", text)


def last_number(text: str) -> tuple[str, str]:
    """(number, what stands before it) if the text ends with a house number, else ("", text); text is tidy."""
    text = _NUMBER_SIGN.sub("", text.strip())
    found = re.search(rf"(?<![^\W_]){_NUMBER.pattern}$", text)
    return (found[0], text[: found.start()].strip(" ,")) if found else ("", text)


def leading_digits(text: str) -> int | None:
    """The plain number that a label starts with, for "nearest are 91 and 93"."""
    found = re.match(r"\d+", text)
    return int(found[0]) if found else None
