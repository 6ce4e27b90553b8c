"""What a page may do and who may ask for it; and that a hostile name is only ever text."""

from __future__ import annotations

import os
import re
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hostile import HOSTILE
from plan_cast import HOME, MONDAY, Office, Skeleton, plan, rep_day, stop, unplanned

from planner.domain import Account, Address, Opportunity, Rep

PAGES = ("/", f"/a/helsinki/day/{MONDAY}", "/a/helsinki/unplanned", "/a/helsinki/addresses", "/nowhere")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.area()
    made.keep(plan())
    return made


@pytest.mark.parametrize("address", PAGES)
def test_every_response_forbids_all_but_our_own_files_and_scripts_with_its_nonce(office: Office, address: str) -> None:
    responses = [office.client.get(address) for _ in range(2)]
    policies = [response.headers["Content-Security-Policy"] for response in responses]
    assert policies[0] != policies[1]
    for policy, response in zip(policies, responses, strict=True):
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "no-cache" in response.headers["Cache-Control"]
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce is not None
        for script in re.findall(r"<script[^>]*>", response.get_data(as_text=True)):
            assert 'src="/static/' in script or f'nonce="{nonce[1]}"' in script or "application/json" in script


def test_no_page_holds_an_inline_style_or_handler(office: Office) -> None:
    for address in (*PAGES, f"/a/helsinki/day/{MONDAY}/rep?rep=ann"):
        for tag in Skeleton(office.client.get(address).get_data(as_text=True)).tags:
            assert not any(name == "style" or name.startswith("on") for name in tag[1:]), tag
            assert tag[0] not in ("style", "iframe", "object", "base")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1"])
def test_a_browser_on_this_machine_is_let_in(office: Office, host: str) -> None:
    assert office.client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "localhost@evil.example",
     "", "0.0.0.0:8000", "192.168.1.4", "[::2]", "localhost:", "localhost:x", "a b", "{{7*7}}"],
)  # fmt: skip
def test_a_name_that_was_made_to_point_here_is_refused(office: Office, host: str) -> None:
    for address in ("/", "/static/app.css", "/a/helsinki/plan.json"):
        response = office.client.get(address, headers={"Host": host})
        assert response.status_code == 400
        assert "Ann" not in response.get_data(as_text=True)
        assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_pages_can_only_be_read(office: Office, method: str) -> None:
    for address, status in (("/", 405), ("/a/helsinki/plan.json", 405), ("/nowhere", 404)):
        response = office.client.open(address, method=method)
        assert response.status_code == status
        assert "Traceback" not in response.get_data(as_text=True)


def test_a_head_request_is_answered_without_a_body(office: Office) -> None:
    response = office.client.head("/")
    assert (response.status_code, response.data) == (200, b"")


def test_pages_are_gzipped_for_those_who_take_it(office: Office) -> None:
    packed = office.client.get("/", headers={"Accept-Encoding": "gzip"})
    plain = office.client.get("/")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 2
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_an_unforeseen_error_shows_no_trace_of_the_program(office: Office) -> None:
    def broken(area: str, version: int | None) -> Any:
        raise ZeroDivisionError("secret path")

    office.app.extensions["sources"].plan = broken
    response = office.client.get("/")
    text = response.get_data(as_text=True)
    assert response.status_code == 500
    assert "Something went wrong" in text
    assert "secret" not in text
    assert "Content-Security-Policy" in response.headers


def hostile_plan(text: str) -> str:
    """A plan in which every word that came from a record is the given one."""
    visits = [
        stop(
            number,
            f"{9 + number}:00",
            f"{9 + number}:30",
            name=text,
            address=text,
            why=text,
            record_ids=[text],
            visit_id=text,
            worth_because=text,
            handoff_missing=[text],
            kind=kind,
        )
        for number, kind in enumerate(("appointment", "opportunity", "due", "nearby"), start=1)
    ]
    day = rep_day(stops=visits)
    for end in ("start", "end"):
        day[end] |= {**HOME, "address": text}
    day |= {"rep_id": text, "rep_name": text}
    listed = [{"record_id": text, "name": text, "sentence": text}]
    broken = {"kind": "appointment", "reason": "appointment_impossible"}
    left_out = [unplanned(text, name=text, sentence=text, **more) for more in ({}, broken)]
    return plan([day], unplanned=left_out, returned_to_inside=listed, dormant=listed, notes=[text])


def skeletons_of(office: Office, text: str) -> list[Skeleton]:
    """The pages of a plan in which everything is called `text`."""
    office.forget_plans()
    office.keep(hostile_plan(text))
    pages = [office.page(address) for address in ("/", f"/a/helsinki/day/{MONDAY}", "/a/helsinki/unplanned")]
    day = next(link for link in Skeleton(pages[0]).links if "/rep?" in link)
    return [Skeleton(page) for page in (*pages, office.page(day))]


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> tuple[Office, list[Skeleton]]:
    office = Office(tmp_path_factory.mktemp("areas"))
    office.area()
    return office, skeletons_of(office, "Harmless")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_adds_no_element_attribute_or_link_and_can_be_read(
    harmless: tuple[Office, list[Skeleton]], text: str
) -> None:
    office, plain_pages = harmless
    for page, plain in zip(skeletons_of(office, text), plain_pages, strict=True):
        assert page.tags == plain.tags
        assert page.ids == plain.ids
        assert [link.split("?")[0].split(":")[0] for link in page.links] == [
            link.split("?")[0].split(":")[0] for link in plain.links
        ]
        said = "".join(page.words).replace("\r", "\n")
        assert text.replace("\r\n", "\n") in said or text.replace("\r", "\n") in said
    assert "FIELDVISIT_RAN" not in os.environ


@pytest.mark.parametrize(
    "rep_id", ["a/b", "/", "//x", ".", "..", "../..", "%2e%2e", "a?b#c", "a&plan=9", "é☕", "a+b c", "{{7*7}}", "a\\b",
               " x ", "\t", "NUL\0", "'\"<>", "x" * 2000]
)  # fmt: skip
def test_a_rep_is_found_whatever_the_id_is_made_of(office: Office, rep_id: str) -> None:
    day = rep_day() | {"rep_id": rep_id}
    office.keep(plan([day]))
    link = next(link for link in Skeleton(office.page("/")).links if "/rep?" in link)
    assert urlsplit(link).path == f"/a/helsinki/day/{MONDAY}/rep"
    assert "Monday 30 November 2026" in office.text(link)


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\0" not in text and len(text) < 2000])
def test_a_hostile_address_or_record_is_only_text_on_the_page_of_addresses(office: Office, text: str) -> None:
    office.area("turku")
    pages = []
    for area, word in (("helsinki", "Harmless"), ("turku", text)):
        street = Address(word)
        rep = Rep(word, word, "", street, None, "Europe/Helsinki", frozenset({0}), time(9), time(17))
        office.know(
            rep,
            Account(id=word, name=word, address=street),
            Opportunity(id=word, name=word, address=street),
            area=area,
        )
        pages.append(Skeleton(office.page(f"/a/{area}/addresses")))
    assert pages[0].tags == pages[1].tags
    assert "".join(pages[1].words).count("latitude and longitude") == 3
