"""Streams of events: told when something changes, few at once, and never for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from planner.errors import StorageError
from webui.streaming import State, Streams


class Wall:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds


def streams(most: int = 2) -> Streams:
    wall = Wall()
    return Streams(most, life_s=30, every_s=1, heartbeat_s=10, pause=wall.pause, clock=lambda: wall.now)


def saying(*states: State) -> Callable[[], State]:
    """Says one after the other, and the last for ever."""
    left = list(states)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def heard(response: Response) -> list[str]:
    events = response.get_data(as_text=True).split("\n\n")
    response.close()
    return [event for event in events if event]


@pytest.fixture(autouse=True)
def app() -> Iterator[object]:
    with Flask(__name__).test_request_context() as context:
        yield context


def test_a_change_is_told_once_and_the_stream_ends_with_the_work() -> None:
    response = streams().answer(saying(("10 %", False), ("10 %", False), ("20 %", False), ("done", True)))
    assert heard(response) == [
        "retry: 1000",
        "event: progress\ndata: 10 %",
        "event: progress\ndata: 20 %",
        "event: progress\ndata: done",
    ]


def test_while_nothing_changes_a_heartbeat_is_sent_and_after_half_a_minute_the_browser_has_to_come_again() -> None:
    assert (
        heard(streams().answer(saying(("10 %", False)))) == ["retry: 1000", "event: progress\ndata: 10 %"] + [":"] * 3
    )


def test_nobody_on_the_way_holds_events_back() -> None:
    response = streams().answer(saying(("", True)))
    assert response.mimetype == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["Cache-Control"] == "no-store, no-transform"
    assert response.content_encoding is None
    response.close()


@pytest.mark.parametrize(("threads", "most"), [(2, 1), (16, 4)])
def test_three_quarters_of_a_servers_threads_are_left_to_pages(threads: int, most: int) -> None:
    some = Streams()
    some.served_by(threads)
    for _ in range(most):
        some.answer(saying(("10 %", False)))
    with pytest.raises(HTTPException):
        some.answer(saying(("10 %", False)))


def test_beyond_a_few_streams_browsers_are_asked_to_come_later() -> None:
    some = streams(most=2)
    first, second = some.answer(saying(("", True))), some.answer(saying(("", True)))
    with pytest.raises(HTTPException) as refused:
        some.answer(saying(("", True)))
    answer = refused.value.get_response()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    first.close()
    heard(second)
    for stream in (some.answer(saying(("", True))), some.answer(saying(("", True)))):
        stream.close()


def test_a_database_that_does_not_answer_ends_the_stream_and_nothing_else() -> None:
    some = streams(most=1)

    def fails() -> State:
        raise StorageError("gone")

    assert heard(some.answer(fails)) == ["retry: 1000"]
    assert len(heard(some.answer(saying(("back", True))))) == 2
