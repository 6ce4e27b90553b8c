"""How alike the names of companies and people are; capitals, accents, and what a company is by law do not count.

The only module of the planner that knows rapidfuzz.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

_LEGAL_FORMS = """
ab ag aps as asa bv bvba co company corp corporation cv cyf eg ehf ek eurl gbr gmbh gesmbh hf inc incorporated kft kg
kgaa ky lda limited llc llp lp ltd ltda mbh nv nyrt ohg oo ou oy oyj plc pte pty public pvt sa sab sarl sas sc sca se
sia sl slu snc sp spa spol sprl sro srl tmi ug uab zrt
"""
"""Without dots and accents: "Oy Bakery Ab", "Bakery B.V." and "bakery" are one name."""

_LITTLE_WORDS = "and et ja och og the und"

NOT_TELLING = frozenset(f"{_LEGAL_FORMS} {_LITTLE_WORDS}".split())

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})


def name_words(name: str) -> list[str]:
    """The words of a company's name that tell it from others; all of them where nothing would be left."""
    words = _words(name)
    return [word for word in words if word not in NOT_TELLING] or words


def sorted_name(name: str) -> str:
    return " ".join(sorted(name_words(name)))


def joined_name(name: str) -> str:
    return "".join(name_words(name))


def person_words(name: str) -> str:
    """A person's name, whichever part of it comes first; empty for none."""
    return " ".join(sorted(_words(name)))


def name_percents(name: str, names: Sequence[str], joined: Sequence[str], least: int) -> NDArray[np.uint8]:
    """How alike a company's name is to each of `names` (`sorted_name`) and `joined`, in percent; 0 below `least`.

    Words in another order are alike, and so are words that are written together.
    """
    if not names or not _words(name):
        return np.zeros(len(names), dtype=np.uint8)
    pairs = ((sorted_name(name), names), (joined_name(name), joined))
    by_words, by_letters = (
        process.cdist([ours], theirs, scorer=fuzz.ratio, score_cutoff=least, dtype=np.uint8)[0]
        for ours, theirs in pairs
    )
    percents: NDArray[np.uint8] = np.maximum(by_words, by_letters)
    return percents


def contained_percent(name: str, other: str) -> float:
    """How alike the words are that the shorter of two names has, in percent."""
    return float(fuzz.token_set_ratio(sorted_name(name), sorted_name(other)))


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    letters = (letter for letter in plain if not unicodedata.combining(letter))
    # A dot or an apostrophe within a word is none of its letters: S.p.A., McDonald's.
    kept = (letter if letter.isalnum() else "" if letter in ".'’" else " " for letter in letters)
    return "".join(kept).split()
