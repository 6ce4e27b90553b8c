"""What a person typed, cut into parts, and the ways in which it can be read as number + street + locality."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from routing.gazetteer.book import AddressBook
from routing.gazetteer.numbers import UNIT_BEFORE_DASH, first_number, last_number, split_unit, tidy
from routing.gazetteer.words import ABBREVIATIONS, compact, fold, keys, loose_key, words

_WORD = re.compile(r"[^\W_]+")
_LETTERED_POSTCODE = re.compile(
    r"(?<![^\W_])(?:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}"  # United Kingdom
    r"|[a-z]\d[a-z] ?\d[a-z]\d|\d{4} ?[a-z]{2}"  # Canada, the Netherlands
    r"|\d{4}-\d{3}|\d{5}-\d{4})(?![^\W_])"  # Portugal, United States
)
_DIGITS_FIRST = re.compile(r"(?:[a-z]{1,2}-)?(\d{4,6}|\d{3} \d{2})(?![^\W_])")
_DIGITS_LAST = re.compile(r"(?<![^\W_])(\d{5,6})$")
COUNTRIES = frozenset(
    ("uk", "unitedkingdom", "greatbritain", "gb", "england", "wales", "cymru", "scotland", "northernireland",
     "ireland", "eire", "finland", "suomi", "sweden", "sverige", "norway", "norge", "denmark", "danmark", "germany",
     "deutschland", "austria", "osterreich", "switzerland", "schweiz", "suisse", "france", "portugal", "spain",
     "espana", "italy", "italia", "netherlands", "nederland", "belgium", "belgique", "belgie", "usa", "us",
     "unitedstates", "canada", "australia", "newzealand", "japan")
)  # fmt: skip
"""Not compared with anything: an area lies in one country, and its data rarely names it."""

MAX_PARTS, MAX_WORDS = 8, 14
"""What an address may have; what goes beyond it is not read."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed address: folded parts, then what the city field said, then the postcode as a key."""

    parts: tuple[str, ...]
    city: tuple[str, ...]
    postcode: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read it. `whole` is all that stands before the street, which may be a door's label as it is;
    `numbers` are house numbers in order of trust; `labels` other texts that a door may be called;
    `edits` counts corrected letters; `doubtful` when a correction turned real words into other words."""

    streets: frozenset[int]
    whole: str
    numbers: tuple[str, ...]
    unit: str
    labels: tuple[str, ...]
    localities: tuple[str, ...]
    edits: int = 0
    doubtful: bool = False


class Lexicon:
    """The names of an area, ready to be looked up by what people type."""

    def __init__(self, book: AddressBook) -> None:
        names = [(i, words(name)) for i, aliases in enumerate(book.aliases) for name in aliases]
        self.vocabulary = {word for _, name in names for word in name}
        self.exact: dict[str, set[int]] = {}
        self.loose: dict[str, set[int]] = {}
        for street, name in names:
            if name:
                for key in keys(name, self.vocabulary):
                    self.exact.setdefault(key, set()).add(street)
                self.loose.setdefault(loose_key(name), set()).add(street)
        self.spellings = list(self.exact)
        self.house_names = {compact(book.texts[t]) for t in set(book.fields[:, 2].tolist())} - {""}
        self.labels = {compact(book.texts[t]) for t in set(book.fields[:, 0].tolist())} | self.house_names
        self.postcodes = {
            compact(code) for t in set(book.fields[:, 4].tolist()) for code in book.texts[t].split(";")
        } - {""}
        self.localities = {place.key for place in book.localities}
        self.ignorable = book.regions | COUNTRIES

    def streets(self, tokens: list[str]) -> set[int]:
        """Streets of exactly this name, abbreviated or not, in any of their languages."""
        return set().union(*(self.exact.get(key, ()) for key in keys(tokens, self.vocabulary)))

    def loosely(self, tokens: list[str], text: str) -> set[int]:
        """Streets whose name differs by what people leave out, or that a word cut off by a full stop begins."""
        found = self.loose.get(loose_key(tokens), set())
        if not found and "." in text and len("".join(tokens)) >= 5:
            cut = "".join(
                re.escape(word) + ("[a-z]*" if text[m.end() : m.end() + 1] == "." else "")
                for m, word in zip(_WORD.finditer(text), tokens, strict=False)
            )
            fits = re.compile(cut)
            found = set().union(*(self.exact[key] for key in self.spellings if fits.fullmatch(key)))
        return found

    def locality(self, key: str) -> str:
        """The known locality that is meant, a single slip of the finger forgiven; else the key itself."""
        if key in self.localities or key in self.ignorable or len(key) < 5:
            return key
        close = [k for k, _, _ in process.extract(key, self.localities, scorer=OSA.distance, score_cutoff=1, limit=2)]
        return close[0] if len(close) == 1 else key

    def respelt(self, tokens: list[str]) -> tuple[set[int], int] | None:
        """Streets at the smallest number of slips (≤ 2, transpositions count once), digits unchanged; how many."""
        best: dict[int, set[int]] = {}
        for key in keys(tokens, self.vocabulary):
            limit = 0 if len(key) < 6 else 1 if len(key) < 12 else 2
            digits = re.sub(r"\D", "", key)
            for spelling, edits, _ in process.extract(
                key, self.spellings, scorer=OSA.distance, score_cutoff=limit, limit=20
            ):
                if re.sub(r"\D", "", spelling) == digits:
                    best.setdefault(int(edits), set()).update(self.exact[spelling])
        return (best[min(best)], min(best)) if best else None

    def similar(self, tokens: list[str]) -> list[int]:
        """Streets to offer when nothing fits, the most similar first; a common beginning counts most."""
        key, alike = "".join(tokens), JaroWinkler.normalized_similarity
        found = process.extract(key, self.spellings, scorer=alike, score_cutoff=0.82, limit=8)
        return list(dict.fromkeys(street for key, _, _ in found for street in sorted(self.exact[key])))

    def knows(self, token: str) -> bool:
        """Whether a word (or what it is short for) is in some street's name."""
        return token in self.vocabulary or any(w in self.vocabulary for w in ABBREVIATIONS.get(token, ()))


def cut(address: str, city: str, postcode: str, lexicon: Lexicon) -> Typed:
    """Fold, split at commas, and take the postcode out of the address or the city if it has no field of its own."""
    parts, towns = _parts(address), _parts(city)
    code = compact(postcode)
    if not code:
        for where in (towns, parts):
            for i in reversed(range(len(where))):
                left, found = _take_postcode(where[i], i > 0 or where is towns, lexicon)
                if found and not code:
                    code, where[i] = found, left
    else:
        parts = [re.sub(rf"(?<![^\W_]){_spaced(code)}(?![^\W_])", "", p).strip() if i or not p.isdecimal() else p
                 for i, p in enumerate(parts)]  # fmt: skip
    return Typed(tuple(p for p in parts if p), tuple(t for t in towns if t), code)


def _parts(text: str) -> list[str]:
    """Folded pieces between commas, line ends and brackets, and after the dash of "Unit 3 - 1 Lee Way"."""
    pieces = re.split(r"[,\n\r()\[\]|]", UNIT_BEFORE_DASH.sub(r"\1,", fold(text)))
    return [piece for piece in (tidy(piece).strip(" .-") for piece in pieces) if piece][:MAX_PARTS]


def _spaced(code: str) -> str:
    return r"[\s-]?".join(map(re.escape, code))


def _take_postcode(part: str, later: bool, lexicon: Lexicon) -> tuple[str, str]:
    """(the part without its postcode, the postcode's key or ""). Digits alone are a postcode only where one
    stands: at the head of a later part ("00100 Helsinki"), at the end, or if the extract knows them."""
    found = None
    for found in _LETTERED_POSTCODE.finditer(part):
        if found.start() > 0 or later or found[0] == part:
            break
        found = None
    if not found and later:
        head = _DIGITS_FIRST.match(part)
        rest = part[head.end() :] if head else ""
        if head and _no_street(rest, lexicon):
            found = head
    if not found:
        tail = _DIGITS_LAST.search(part)
        rest = part[: tail.start()].strip() if tail else ""
        if rest and (re.search(r"\d", rest) or (later and _no_street(rest, lexicon))):
            found = tail
    if not found:
        for m in re.finditer(r"(?<![^\W_])\d{4,6}(?![^\W_])", part):
            if m[0] in lexicon.postcodes and re.search(r"\d", part[: m.start()]):
                found = m
    if not found:
        return part, ""
    code = found[1] if found.re in (_DIGITS_FIRST, _DIGITS_LAST) else found[0]
    return " ".join((part[: found.start()] + " " + part[found.end() :]).split()), compact(code)


def _no_street(text: str, lexicon: Lexicon) -> bool:
    return compact(text) in lexicon.localities or not lexicon.streets(words(text))


def readings(typed: Typed, lexicon: Lexicon) -> list[Reading]:
    """The ways to read it, from the strictest rule that gives any: exact names, what people leave out, slips."""
    for rule in (_exact, _loose, _respelt):
        found = list(rule(typed, lexicon))
        if found:
            return found
    return []


def _exact(typed: Typed, lexicon: Lexicon) -> Iterator[Reading]:
    yield from _spans(typed, lexicon, lambda tokens, text: lexicon.streets(tokens))


def _loose(typed: Typed, lexicon: Lexicon) -> Iterator[Reading]:
    yield from _spans(typed, lexicon, lexicon.loosely)


def _street_parts(typed: Typed, lexicon: Lexicon) -> Iterator[tuple[int, str]]:
    """The parts that may hold the street: not a later one that is just the name of a town."""
    for i, part in enumerate(typed.parts):
        if i == 0 or lexicon.locality(compact(part)) not in lexicon.localities:
            yield i, part


def _spans(typed: Typed, lexicon: Lexicon, look_up: Callable[[list[str], str], set[int]]) -> Iterator[Reading]:
    """Every longest run of words that is a street's name and whose neighbours are explained."""
    for i, part in _street_parts(typed, lexicon):
        found = list(_WORD.finditer(part))[:MAX_WORDS]
        taken: list[tuple[int, int]] = []
        for length in range(len(found), 0, -1):
            for first in range(len(found) - length + 1):
                last = first + length
                if any(a <= first and last <= b for a, b in taken):
                    continue
                start, end = found[first].start(), found[last - 1].end()
                tokens = words(part[start:end])
                streets = look_up(tokens, part[start : end + 1]) if tokens else set()
                if not streets:
                    continue
                reading = _explained(typed, lexicon, i, part[:start], part[end:])
                if reading:
                    if not (tokens[0].isdecimal() or tokens[-1].isdecimal()):
                        taken.append((first, last))
                    yield replace(reading, streets=frozenset(streets))


def _explained(typed: Typed, lexicon: Lexicon, i: int, before: str, after: str) -> Reading | None:
    """The rest of the typed address, given where the street's name stands; None if words beside it mean nothing.

    A number beside the street explains everything beyond it; without one, words before may be a house's name
    and words after a locality.
    """
    earlier, later = typed.parts[:i], typed.parts[i + 1 :]
    whole = " ".join((*earlier, before)).strip(" ,.")
    rest_before, unit_before = split_unit(before)
    rest_after, unit_after = split_unit(after.strip(" ."))
    labels = [before.strip(" ,."), after.strip(" ,.")]
    localities: list[str] = []
    number, building = last_number(rest_before)
    numbers = [number] if number else []
    if number:
        labels.append(building)
    elif rest_before and not {compact(rest_before), compact(whole)} & lexicon.labels:
        return None
    after_number, _ = first_number(rest_after)
    if after_number and not number:
        numbers = _with_staircase(after_number)
    elif rest_after and not after_number:
        if not _is_place(rest_after, lexicon):
            return None
        localities.append(lexicon.locality(compact(rest_after)))
    units = [unit_before or unit_after]
    for part in (*earlier[::-1], *later):
        rest, unit = split_unit(part)
        units.append(unit)
        as_number, beyond = first_number(rest)
        if as_number and not beyond and not numbers:
            numbers = [as_number]
        elif part in later and rest and not as_number:
            localities.append(lexicon.locality(compact(rest)))
        if part in earlier or not rest or as_number:
            labels.append(part)
    localities.extend(lexicon.locality(compact(town)) for town in typed.city)
    return Reading(
        streets=frozenset(),
        whole=whole,
        numbers=tuple(numbers),
        unit=next((u for u in units if u), ""),
        labels=tuple(dict.fromkeys(label for label in labels if label)),
        localities=tuple(dict.fromkeys(key for key in localities if key)),
    )


def _is_place(text: str, lexicon: Lexicon) -> bool:
    """Whether words after a street's name are a locality, or begin with one ("Newport South Wales")."""
    tokens = words(text)
    starts = ["".join(tokens[:n]) for n in range(1, len(tokens) + 1)]
    return any(lexicon.locality(s) in lexicon.localities or s in lexicon.ignorable for s in starts)


def _with_staircase(number: str) -> list[str]:
    """After the street a letter that stands apart may be a staircase: "12 B" is 12b, else 12."""
    found = re.fullmatch(r"(\d+) [a-z]", number)
    return [number, found[1]] if found else [number]


def _respelt(typed: Typed, lexicon: Lexicon) -> Iterator[Reading]:
    """The whole words beside the number, a slip or two corrected: the fewest slips win."""
    found: list[tuple[int, Reading]] = []
    for i, part in _street_parts(typed, lexicon):
        for before, street, after in _cores(part, lexicon):
            tokens = words(street)
            reading = _explained(typed, lexicon, i, before, after) if tokens else None
            corrected = lexicon.respelt(tokens) if reading else None
            if reading and corrected:
                streets, edits = corrected
                real = all(lexicon.knows(token) for token in tokens if not token.isdecimal())
                found.append((edits, replace(reading, streets=frozenset(streets), edits=edits, doubtful=real)))
    fewest = min((edits for edits, _ in found), default=0)
    yield from (reading for edits, reading in found if edits == fewest)


def _cores(part: str, lexicon: Lexicon) -> Iterator[tuple[str, str, str]]:
    """Where the street may stand in a part when its name is unknown: (before, street, after)."""
    rest, unit = split_unit(part)
    unit = f"unit {unit}" if unit else ""
    ways = [(unit, rest, "")]
    number, after = first_number(rest)
    if number:
        ways.append((f"{unit} {number}", after, ""))
    found = re.search(r"(?<=\D)\s(?=\d)", rest)
    if found:
        ways.append((unit, rest[: found.start()], rest[found.end() :]))
    number, before = last_number(rest)
    if number and before:
        ways.append((unit, before, number))
    for before, street, after in ways:
        if not street:
            continue
        yield before, street, after
        tokens = street.split()
        for n in range(1, len(tokens)):
            if not after and compact(" ".join(tokens[n:])) in lexicon.localities:
                yield before, " ".join(tokens[:n]), " ".join(tokens[n:])
