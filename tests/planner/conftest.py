"""Fixtures of the cast in cast.py."""

from __future__ import annotations

import pytest
from cast import Town, door, rep


@pytest.fixture
def empty_town() -> Town:
    return Town()


@pytest.fixture
def town() -> Town:
    """The town with Anna in it, who starts from the office."""
    town = Town()
    town.add(rep(), door())
    return town
