"""How well typed addresses are found: on records with a known truth, and on an extract's own addresses, damaged.

    python tests/benchmarks/bench_geocoding.py --data DIR
    python tests/benchmarks/bench_geocoding.py --self-test EXTRACT [--sample 600] [--seed 1]

DIR holds one extract (*.osm.pbf), reps.csv, accounts.csv, opportunities.csv and truth.csv (record_id, lat, lon,
damage). Each set is measured twice: with the full gazetteer, and with the true doors taken out of it, where
nothing may be confidently wrong.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from routing.gazetteer import Gazetteer, Verdict
from routing.geo import LatLon, great_circle_m

TRAPS = ("no_such_street", "no_such_number", "ambiguous")
NEAR_M, FAR_M = 150.0, 500.0

SHORT_FORMS = {
    "Street": "St", "Road": "Rd", "Avenue": "Ave", "Drive": "Dr", "Close": "Cl", "Crescent": "Cres", "Lane": "Ln",
    "Place": "Pl", "Square": "Sq", "Terrace": "Terr", "Gardens": "Gdns", "Court": "Ct", "Grove": "Gr", "Park": "Pk",
    "Parade": "Pde", "Rua": "R.", "Avenida": "Av.", "Travessa": "Trav.", "Praça": "Pç.", "Largo": "Lg.",
}  # fmt: skip
SHORT_ENDINGS = {"katu": "k.", "tie": "t.", "gatan": "g.", "straße": "str.", "strasse": "str."}


@dataclass(frozen=True)
class Record:
    """A typed address, where it really is, and what was done to it."""

    name: str
    address: str
    city: str
    postcode: str
    country: str
    truth: LatLon
    damage: str

    @property
    def is_trap(self) -> bool:
        return self.damage in TRAPS


def read_records(folder: Path) -> list[Record]:
    """The records of the three files, each with its truth."""
    truth = {row["record_id"]: row for row in _rows(folder / "truth.csv")}
    records = []
    for file, key in (("reps", "rep_id"), ("accounts", "account_id"), ("opportunities", "opportunity_id")):
        for row in _rows(folder / f"{file}.csv"):
            known = truth[row[key]]
            records.append(
                Record(
                    name=row[key],
                    address=row.get("address") or row["start_address"],
                    city=row.get("city", ""),
                    postcode=row.get("postcode", ""),
                    country=row.get("country", ""),
                    truth=LatLon(float(known["lat"]), float(known["lon"])),
                    damage=known["damage"],
                )
            )
    return records


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def sample_records(gazetteer: Gazetteer, size: int, seed: int) -> list[Record]:
    """Addresses of the gazetteer itself, damaged in the ways people damage them, and traps among them."""
    draw = random.Random(seed)
    doors = [d for d in gazetteer.doors() if re.fullmatch(r"\d+[A-Za-z]?(-\d+)?", d.number)]
    places: dict[tuple[str, str], list[LatLon]] = defaultdict(list)
    highest: dict[str, int] = defaultdict(int)
    for d in gazetteer.doors():
        places[d.number.casefold(), d.street].append(d.place)
        highest[d.street] = max([highest[d.street], *map(int, re.findall(r"\d+", d.number))])
    damages: Sequence[tuple[str, Callable[[str, str], tuple[str, str]]]] = [
        ("", lambda number, street: (number, street)),
        ("abbreviated", lambda number, street: (number, _abbreviated(street))),
        ("upper", lambda number, street: (number.upper(), street.upper())),
        ("typo", lambda number, street: (number, _swapped(street, draw))),
        ("slip", lambda number, street: (number, _slipped(street, draw))),
        ("no_postcode", lambda number, street: (number, street)),
        ("unit", lambda number, street: (number, street)),
        ("no_such_number", lambda number, street: (str(highest[street] + draw.choice((60, 100, 9000))), street)),
        ("no_such_street", lambda number, street: (number, "Nonesuch Parade")),
    ]
    records = []
    for i, door in enumerate(draw.sample(doors, min(size, len(doors)))):
        spread = max(great_circle_m(door.place, p) for p in places[door.number.casefold(), door.street])
        damage, apply = damages[i % len(damages)]
        postcode = "" if damage == "no_postcode" or damage in TRAPS or draw.random() < 0.3 else door.postcode
        if spread > FAR_M and not postcode:
            damage, apply = "ambiguous", damages[0][1]
        number, street = apply(door.number, door.street)
        line = f"{number} {street}" if draw.random() < 0.5 else f"{street} {number}"
        line = f"Unit 3, {line}" if damage == "unit" else line
        city = door.city.upper() if damage == "upper" else door.city
        if draw.random() < 0.2:  # everything in one field
            line = f"{line}, {postcode} {city}" if draw.random() < 0.5 else f"{line}, {city} {postcode}"
            postcode = city = ""
        records.append(Record(str(i), line, city, postcode, "", door.place, damage))
    return records


def _abbreviated(street: str) -> str:
    for ending, short in SHORT_ENDINGS.items():
        if street.endswith(ending) and len(street) > len(ending) + 2:
            return street.removesuffix(ending) + short
    first, *middle, last = street.split() if " " in street else ("", street)
    return " ".join([SHORT_FORMS.get(first, first), *middle, SHORT_FORMS.get(last, last)]).strip()


def _swapped(street: str, draw: random.Random) -> str:
    """Two neighbouring characters change places, as when typing fast."""
    spots = [i for i in range(1, len(street) - 1) if street[i] != street[i + 1]]
    i = draw.choice(spots) if spots else 0
    return street[:i] + street[i + 1 : i + 2] + street[i : i + 1] + street[i + 2 :]


def _slipped(street: str, draw: random.Random) -> str:
    """A letter is left out, doubled or replaced."""
    i = draw.choice([i for i, c in enumerate(street) if c.isalpha()])
    return street[:i] + draw.choice(("", street[i] * 2, draw.choice("aeiorstn"))) + street[i + 1 :]


def measure(title: str, gazetteer: Gazetteer, records: Iterable[Record], show: int) -> None:
    """Print verdicts and errors for each kind of damage, then the worst records by name."""
    records = list(records)
    start = time.perf_counter()
    results = [gazetteer.locate(r.address, r.city, r.postcode, r.country) for r in records]
    seconds = time.perf_counter() - start
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    notes: list[str] = []
    for record, result in zip(records, results, strict=True):
        outcome = str(result.verdict)
        if result.verdict is Verdict.MATCHED:
            error = great_circle_m(record.truth, result.candidates[0].place)
            outcome = "<=150 m" if error <= NEAR_M else "<=500 m" if error <= FAR_M else ">500 m"
        counts[record.damage or "none"][outcome] += 1
        if (result.verdict is Verdict.MATCHED) if record.is_trap else outcome != "<=150 m":
            first = result.candidates[0].address if result.candidates else "nothing"
            typed = f"{record.address!r} {record.city!r} {record.postcode!r}"
            notes.append(f"  {outcome}: {record.damage or 'none'}: {typed}: {result.reason} {first}")
    real = [sum(c.values()) for damage, c in counts.items() if damage not in TRAPS]
    near = sum(c["<=150 m"] for damage, c in counts.items() if damage not in TRAPS)
    caught = sum(c[o] for d, c in counts.items() if d in TRAPS for o in ("<=150 m", "<=500 m", ">500 m"))
    print(f"\n{title}: {len(records)} records in {seconds:.2f} s, {len(gazetteer)} addresses")
    print(f"  matched within 150 m: {near} of {sum(real)} real ones ({near / max(1, sum(real)):.1%})")
    print(f"  matched, more than 150 m wrong: {sum(c['<=500 m'] + c['>500 m'] for c in counts.values())}")
    print(f"  matched, more than 500 m wrong: {sum(c['>500 m'] for c in counts.values())}")
    print(f"  traps matched: {caught}")
    columns = ("<=150 m", "<=500 m", ">500 m", "review", "not_found")
    print(f"  {'damage':16}" + "".join(f"{c:>10}" for c in columns))
    for damage, counter in counts.items():
        print(f"  {damage:16}" + "".join(f"{counter[c]:>10}" for c in columns))
    print("\n".join(sorted(notes)[:show]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with an extract, the records and truth.csv")
    parser.add_argument("--self-test", type=Path, help="an extract whose own addresses are damaged")
    parser.add_argument("--sample", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=20, help="how many failures to list")
    options = parser.parse_args()
    if not options.data and not options.self_test:
        parser.error("say --data DIR or --self-test EXTRACT")
    extract = options.self_test or next(options.data.glob("*.osm.pbf"))
    start = time.perf_counter()
    gazetteer = Gazetteer.build(extract)
    print(f"built from {extract.name} in {time.perf_counter() - start:.1f} s")
    records = (
        sample_records(gazetteer, options.sample, options.seed) if options.self_test else read_records(options.data)
    )
    measure("full gazetteer", gazetteer, records, options.show)
    measure("true doors taken out", gazetteer.without(r.truth for r in records), records, show=0)


if __name__ == "__main__":
    main()
