"""What somebody who is typing an address may mean: doors, and streets whose number is still to come."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from routing.gazetteer.book import AddressBook, Door, Stretch
from routing.gazetteer.numbers import first_number, last_number, leading_digits, parse_number, split_unit, tidy, unit_id
from routing.gazetteer.results import SAME_PLACE_M
from routing.gazetteer.typed import Lexicon
from routing.gazetteer.words import ABBREVIATIONS, compact, fold, keys, words
from routing.geo import LatLon, great_circle_m

MAX_TYPED = 120
"""What is typed beyond this is not read."""

MAX_STREETS = 40
"""So many streets at most are looked at for one text: those that fit it best."""

_LEAST_LETTERS, _LEAST_OF_POSTCODE, _MAX_TOKENS = 2, 4, 8


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on. A `street` has no number yet: its place is only where the street is."""

    text: str
    place: LatLon
    street: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """What one piece of the typed text says: a number, a unit, and the words beside them."""

    number: str
    unit: str
    tokens: tuple[str, ...]


class Completer:
    """The names of an area in the order of their letters. Takes a few milliseconds a keystroke."""

    def __init__(
        self,
        book: AddressBook,
        lexicon: Lexicon,
        stretches: Sequence[Sequence[Stretch]],
        doors_on: Callable[[Iterable[Stretch]], list[Door]],
    ) -> None:
        self._book, self._lexicon, self._stretches, self._doors_on = book, lexicon, stretches, doors_on
        self._names = [
            [words(spelt) for alias in aliases for spelt in {alias, re.sub("['’]", " ", alias)}]
            for aliases in book.aliases
        ]
        self._spellings = sorted((key, street) for key, streets in lexicon.exact.items() for street in streets)
        self._words = sorted({(w, i) for i, aliases in enumerate(self._names) for name in aliases for w in name})
        houses, codes = set(), set()
        for door, (_, _, house, _, code) in enumerate(book.fields.tolist()):
            houses.add((compact(book.texts[house]), door))
            codes |= {(compact(text), door) for text in book.texts[code].split(";")}
        self._houses = sorted(entry for entry in houses if entry[0])
        self._codes = sorted(entry for entry in codes if entry[0])

    def complete(self, typed: str, limit: int) -> list[Completion]:
        """At most `limit` ways to go on, the likeliest first; none while too little is typed to tell."""
        pieces = [tidy(piece).strip(" .-") for piece in re.split(r"[,\n\r()]", fold(typed[:MAX_TYPED]))]
        pieces = [piece for piece in pieces if piece][:4]
        for at, piece in enumerate(pieces):
            for part in _readings(piece, pieces[at - 1] if at else ""):
                if found := self._of_part(part, pieces[at + 1 :], limit):
                    return found
        return []

    def _of_part(self, part: _Part, later: Sequence[str], limit: int) -> list[Completion]:
        if sum(map(len, part.tokens)) < _LEAST_LETTERS:
            return []
        where = tuple(compact(piece) for piece in later)
        streets, beside = self._streets(part.tokens)
        where += (beside,) if beside else ()
        if part.number:
            doors = [door for street in streets for door in self._numbered(street, part)] or self._in_postcode(part)
            doors = doors or [door for street in streets[:1] for door in self._nearest(street, part.number)]
            return _apart((_of(door) for door in self._by_place(doors, where)), limit)
        open_ended = [self._street(street) for street in streets[:limit]]
        doors = self._in_postcode(part) + [self._book.door(i) for i in self._beginning(self._houses, part.tokens)]
        if len(streets) == 1:
            doors += sorted(self._doors_on(self._stretches[streets[0]]), key=_by_number)
        return _apart([*open_ended, *(_of(door) for door in self._by_place(doors, where))], limit)

    # ---- streets

    def _streets(self, tokens: Sequence[str]) -> tuple[list[int], str]:
        """Streets whose name begins so, a word of whose name does, or almost; and what was typed beside the name."""
        for n in range(len(tokens), 0, -1):
            beside = "".join(tokens[n:])
            if beside and not self._is_place(beside):
                continue
            if found := self._spelt(tokens[:n]):
                return found, beside
        for n in range(len(tokens), 0, -1):
            beside = "".join(tokens[n:])
            if (not beside or self._is_place(beside)) and (found := self._misspelt(tokens[:n])):
                return found, beside
        return [], ""

    def _spelt(self, tokens: Sequence[str]) -> list[int]:
        ranked: dict[int, tuple[int, ...]] = {}
        for key in keys(tokens, self._lexicon.vocabulary):
            for spelling, street in _starting_with(self._spellings, key):
                ranked.setdefault(street, (int(spelling != key), 0))
        longest = max(tokens, key=len)
        for start in (longest, *ABBREVIATIONS.get(longest, ())):
            for _, street in _starting_with(self._words, start):
                if street not in ranked:
                    fits = [fit for name in self._names[street] if (fit := _word_fit(tokens, name)) is not None]
                    if fits:
                        ranked[street] = (2, min(fits))
        return sorted(ranked, key=lambda street: (ranked[street], -self._size(street), street))[:MAX_STREETS]

    def _misspelt(self, tokens: Sequence[str]) -> list[int]:
        key = "".join(tokens)
        most = 0 if len(key) < 4 else 1 if len(key) < 8 else 2
        digits = re.sub(r"\D", "", key)
        found: dict[int, int] = {}
        for length in (len(key), len(key) + 1) if most else ():
            starts = [spelling[:length] for spelling, _ in self._spellings]
            for start, slips, at in process.extract(key, starts, scorer=OSA.distance, score_cutoff=most, limit=20):
                if re.sub(r"\D", "", start) == digits:
                    street = self._spellings[at][1]
                    found[street] = min(found.get(street, 9), int(slips))
        return sorted(found, key=lambda street: (found[street], -self._size(street), street))[:MAX_STREETS]

    def _size(self, street: int) -> int:
        return sum(len(stretch.doors) for stretch in self._stretches[street])

    def _street(self, street: int) -> Completion:
        largest = max(self._stretches[street], key=lambda stretch: len(stretch.doors))
        return Completion(self._book.streets[street], largest.point, street=True)

    def _is_place(self, key: str) -> bool:
        """Whether a locality or a postcode begins so, or one behind the other."""
        for name in ("", *self._lexicon.localities, *self._lexicon.ignorable):
            if name.startswith(key) and name:
                return True
            if key.startswith(name) and any(_starting_with(self._codes, key.removeprefix(name))):
                return True
        return False

    # ---- doors

    def _numbered(self, street: int, part: _Part) -> list[Door]:
        """The doors of a street whose number is the typed one, or begins with it."""
        ranked = []
        for door in self._doors_on(self._stretches[street]):
            rank = _number_fit(door, part.number)
            if rank is not None:
                other_unit = bool(part.unit) and unit_id(door.unit) != part.unit
                ranked.append((rank, other_unit, bool(door.unit), *_by_number(door), door))
        return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:-1])]

    def _nearest(self, street: int, number: str) -> list[Door]:
        typed = leading_digits(number) or 0
        known = [door for door in self._doors_on(self._stretches[street]) if leading_digits(door.number) is not None]
        return sorted(known, key=lambda door: (abs((leading_digits(door.number) or 0) - typed), *_by_number(door)))[:2]

    def _in_postcode(self, part: _Part) -> list[Door]:
        doors = [self._book.door(i) for i in self._beginning(self._codes, part.tokens, _LEAST_OF_POSTCODE)]
        fitting = [door for door in doors if not part.number or _number_fit(door, part.number) is not None]
        return sorted(fitting, key=lambda door: (_number_fit(door, part.number) or 0, door.street, *_by_number(door)))

    def _beginning(self, index: Sequence[tuple[str, int]], tokens: Sequence[str], least: int = 3) -> list[int]:
        key = "".join(tokens)
        if len(key) < least:
            return []
        return [door for (_, door), _ in zip(_starting_with(index, key), range(500), strict=False)]

    def _by_place(self, doors: Iterable[Door], where: Sequence[str]) -> list[Door]:
        """Those first that lie where the rest of the text says, in their order."""

        def elsewhere(door: Door) -> int:
            own = (compact(door.city), compact(door.postcode), compact(door.city) + compact(door.postcode))
            return sum(bool(key) and not any(name.startswith(key) for name in own) for key in where)

        return sorted(doors, key=elsewhere)


def _readings(piece: str, before: str) -> Iterator[_Part]:
    """With its number, and all of it as words: a postcode ends in what looks like a number."""
    rest, unit = split_unit(piece)
    number, letters = first_number(rest)
    if not number:
        number, letters = last_number(rest)
    if not number:
        letters, alone = rest, first_number(split_unit(before)[0])
        number = alone[0] if not alone[1] else ""
    unit = unit or split_unit(before)[1]
    yield _Part(number, unit, tuple(words(letters)[:_MAX_TOKENS]))
    if number:
        yield _Part("", unit, tuple(words(rest)[:_MAX_TOKENS]))


def _starting_with(index: Sequence[tuple[str, int]], key: str) -> Iterator[tuple[str, int]]:
    """The entries of a sorted index that begin with a key."""
    for at in range(bisect_left(index, (key, -1)), len(index)):
        if not index[at][0].startswith(key):
            return
        yield index[at]


def _word_fit(tokens: Sequence[str], name: Sequence[str]) -> int | None:
    """Which word of a name the typed ones begin with, if each begins a word or is short for it, in their order."""
    at, first = 0, -1
    for token in tokens:
        while at < len(name) and not (name[at].startswith(token) or name[at] in ABBREVIATIONS.get(token, ())):
            at += 1
        if at == len(name):
            return None
        first = at if first < 0 else first
        at += 1
    return first


def _number_fit(door: Door, typed: str) -> int | None:
    """0 where a door has the number, 1 where its range holds it, 2 where its number only begins so."""
    number, wanted = parse_number(door.number), parse_number(typed)
    if not number.label:
        return None
    if number.label == wanted.label or (wanted.atoms and all(map(number.names, wanted.atoms))):
        return 0
    if wanted.atoms and all(number.names(atom) or number.spans(atom) for atom in wanted.atoms):
        return 1
    return 2 if wanted.label and number.label.startswith(wanted.label) else None


def _by_number(door: Door) -> tuple[int, str, str]:
    digits = leading_digits(door.number)
    return (10**9 if digits is None else digits), door.number, door.unit


def _of(door: Door) -> Completion:
    return Completion(str(door), door.place)


def _apart(found: Iterable[Completion], limit: int) -> list[Completion]:
    """Each text once for each place that is really another one."""
    kept: list[Completion] = []
    for one in found:
        if len(kept) == limit:
            break
        if not any(one.text == other.text and great_circle_m(one.place, other.place) <= SAME_PLACE_M for other in kept):
            kept.append(one)
    return kept
