"""Requests that nobody would write, to every operation; tests/benchmarks/bench_api_fuzz.py sends thousands."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_fuzz import furnished, fuzz

from webui.api.operation import OPERATIONS


@pytest.mark.slow
def test_no_request_makes_a_defect_and_every_answer_is_as_documented(tmp_path: Path) -> None:
    office, program = furnished(tmp_path)
    try:
        fuzzed = fuzz(office, program, examples=4, seed=1, coverage=False)
    finally:
        office.store.close()
    assert not fuzzed.failures, "\n\n".join(f"{where}: {what}" for where, what in fuzzed.failures.items())
    assert not [status for status in fuzzed.answers if status >= 500]
    assert len(fuzzed.operations) == len(OPERATIONS)
    assert fuzzed.answers[200] >= 20
