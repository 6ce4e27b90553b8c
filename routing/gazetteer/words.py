"""Street names as comparable keys: folded, without spaces, with the abbreviations of several languages."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Sequence

_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "&": " and "}
)
_APOSTROPHES = re.compile(r"['’‘`´ʼ]")
_WORD = re.compile(r"[^\W_]+")

ABBREVIATIONS: dict[str, tuple[str, ...]] = {
    # English
    "st": ("street",), "str": ("street", "strasse", "straat", "strada"), "rd": ("road",),
    "ave": ("avenue",), "av": ("avenue", "avenida"), "dr": ("drive", "doutor", "docteur"),
    "dv": ("drive",), "drv": ("drive",), "ln": ("lane", "laan"), "la": ("lane",), "cl": ("close",),
    "clo": ("close",), "ct": ("court",), "crt": ("court",), "cres": ("crescent",),
    "cresc": ("crescent",), "cr": ("crescent",), "pl": ("place", "platz", "plaza"),
    "sq": ("square",), "ter": ("terrace",), "terr": ("terrace",), "tce": ("terrace",),
    "gdns": ("gardens",), "gdn": ("garden", "gardens"), "pk": ("park",), "gr": ("grove",),
    "grv": ("grove",), "gro": ("grove",), "hwy": ("highway",), "pkwy": ("parkway",),
    "blvd": ("boulevard",), "bvd": ("boulevard",), "bd": ("boulevard",), "cir": ("circle",),
    "circ": ("circle", "circus"), "hts": ("heights",), "mt": ("mount",), "ctr": ("centre", "center"),
    "cntr": ("centre", "center"), "cen": ("central", "centre"), "mkt": ("market",), "wy": ("way",),
    "wlk": ("walk",), "wk": ("walk",), "wlks": ("walks",), "bldg": ("building",),
    "bldgs": ("buildings",), "bri": ("bridge",), "brg": ("bridge",), "trl": ("trail",),
    "psge": ("passage",), "vw": ("view",), "arc": ("arcade",), "pde": ("parade",), "par": ("parade",),
    "ind": ("industrial",), "est": ("estate", "estrada"), "hl": ("hill",), "fm": ("farm",),
    "yd": ("yard",), "mws": ("mews",), "ms": ("mews",), "n": ("north",), "s": ("south", "sao"),
    "e": ("east",), "w": ("west",), "ne": ("northeast",), "nw": ("northwest",), "se": ("southeast",),
    "sw": ("southwest",), "nth": ("north",), "sth": ("south",), "upr": ("upper",), "upp": ("upper",),
    "lwr": ("lower",), "lr": ("lower",), "gt": ("great",), "grt": ("great",), "lt": ("little",),
    # French, Portuguese, Spanish, Italian
    "r": ("rue", "rua"), "ch": ("chemin",), "imp": ("impasse",), "all": ("allee",), "rte": ("route",),
    "fg": ("faubourg",), "fbg": ("faubourg",), "crs": ("cours",), "gal": ("general",),
    "mal": ("marechal",), "ste": ("sainte",), "avda": ("avenida",), "trav": ("travessa",),
    "tv": ("travessa",), "pc": ("praca",), "pca": ("praca",), "lg": ("largo",), "eng": ("engenheiro",),
    "gen": ("general",), "prof": ("professor",), "sta": ("santa",), "sto": ("santo",),
    "d": ("dom", "dona"), "c": ("calle", "carrer"), "cl.": ("calle",), "pza": ("plaza", "piazza"),
    "ctra": ("carretera",), "pso": ("paseo",), "v": ("via", "vagen"), "vle": ("viale",),
    "cso": ("corso",), "co": ("corso",),
}  # fmt: skip
"""Short form → what it may stand for. A reading counts only if the words occur in the extract's own street names."""

_GLUED = {"str": ("strasse", "straat"), "pl": ("platz", "plein"), "k": ("katu",), "g": ("gatan",),
          "v": ("vagen",), "t": ("tie",), "ln": ("laan",)}  # fmt: skip
_SAINTS = {"saint": "st", "sankt": "st", "sint": "st"}
_PARTICLES = frozenset(
    ("de", "da", "do", "das", "dos", "du", "des", "del", "della", "di", "la", "le", "les", "el", "los", "las", "the",
     "of", "y")
)  # fmt: skip
_MAX_READINGS = 16


def fold(text: str) -> str:
    """Lower case without Latin accents or apostrophes: `Straße` → `strasse`, `Töölö` → `toolo`."""
    text = _APOSTROPHES.sub("", text).casefold()
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", text.translate(_PLAIN_LETTERS))


def words(text: str) -> list[str]:
    """The folded words of a text, `Saint` (and Sankt, Sint) as `st`."""
    return [_SAINTS.get(word, word) for word in _WORD.findall(fold(text))]


def compact(text: str) -> str:
    """The words without spaces: the key by which names, places and postcodes are equal."""
    return "".join(words(text))


def keys(tokens: Sequence[str], vocabulary: Collection[str]) -> list[str]:
    """Every key that the words may stand for, the one as typed first.

    A leading `St` is a saint, never a street; elsewhere a short form stands for itself or for any of its
    long forms that `vocabulary`, the words of the extract's street names, knows.
    """
    choices: list[list[str]] = []
    for position, token in enumerate(tokens):
        long_forms = () if position == 0 and token == "st" else ABBREVIATIONS.get(token, ())
        glued = [
            token.removesuffix(short) + full
            for short, fulls in _GLUED.items()
            if len(token) > len(short) + 2 and token.endswith(short)
            for full in fulls
        ]
        found = [form for form in (*long_forms, *glued) if form in vocabulary]
        choices.append([token, *found])
    readings = itertools.islice(itertools.product(*choices), _MAX_READINGS)
    return list(dict.fromkeys("".join(reading) for reading in readings))


def loose_key(tokens: Sequence[str]) -> str:
    """A key that forgives what people leave out: `de`, `the`, a plural or possessive s, the e of `ue` for `ü`."""
    kept = [t for t in tokens if t not in _PARTICLES] or list(tokens)
    kept = [t[:-1] if len(t) > 3 and t.endswith("s") and not t.endswith("ss") else t for t in kept]
    return re.sub(r"([aou])e", r"\1", "".join(kept))
