"""Ann's phone without a signal: what it shows, what it keeps, and that each thing she says arrives once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import CHROMIUM_ARGUMENTS, chromium_of_the_system
from phone_cast import APP, PHONE, FieldOffice, Server, let_in
from plan_cast import MONDAY, MORNING, TUESDAY
from playwright.sync_api import Browser, BrowserContext, Page, expect

from planner.access import Role
from planner.fieldwork.domain import Disposition
from webui.pages import field_app

pytestmark = pytest.mark.browser

BUSY = {"title": "Busy"}, 503
BAKERY, GROCER, FLORIST = "account:A1", "account:A2", "account:A3"
CONTROLLED = "() => navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller))"
STREETS = "() => caches.open('fieldvisit-streets').then((cache) => cache.keys()).then((kept) => kept.length)"
APPS = "() => caches.keys().then((names) => names.filter((name) => name.startsWith('fieldvisit-app-')))"
QUEUE = """async () => {
  const { openStore, whoseIsIt } = await import("field/store.js");
  return (await openStore(whoseIsIt())).queue();
}"""
EVERYTHING = """() => new Promise((resolve) => {
  const asked = indexedDB.open("fieldvisit-field");
  asked.onsuccess = async () => {
    const found = {};
    const reading = asked.result.transaction([...asked.result.objectStoreNames]);
    for (const name of asked.result.objectStoreNames)
      found[name] = await new Promise((read) => {
        reading.objectStore(name).getAll().onsuccess = ({ target }) => read(target.result);
      });
    asked.result.close();
    resolve(found);
  };
})"""


@pytest.fixture
def office(tmp_path: Path) -> FieldOffice:
    return FieldOffice(tmp_path)


@pytest.fixture
def server(office: FieldOffice) -> Iterator[Server]:
    made = Server(office)
    yield made
    made.kill()


@pytest.fixture
def phone(browser: Browser, office: FieldOffice, server: Server) -> Iterator[BrowserContext]:
    """A phone with Ann logged in, early on Monday."""
    context = browser.new_context(viewport=PHONE)
    context.clock.set_fixed_time(MORNING)
    let_in(context, server, office.ann)
    yield context
    context.close()


def opened(context: BrowserContext, server: Server, view: str = "#/today") -> Page:
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(server.base + APP + view)
    return page


def kept(page: Page) -> None:
    """Wait until the phone has all that it needs without a signal."""
    expect(page.locator(".field-updated")).to_be_visible(timeout=20_000)
    page.wait_for_function(CONTROLLED)
    page.wait_for_function(STREETS)


def report(page: Page, visit: str, how: str, learned: str) -> None:
    page.evaluate("(hash) => { location.hash = hash; }", f"#/report/{MONDAY}/{visit.replace(':', '%3A')}")
    page.get_by_role("radio", name=how, exact=True).check()
    page.locator("#report-text").fill(learned)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(re.compile("#/today$"))


def say(page: Page, *events: dict[str, Any]) -> None:
    """As the views do it."""
    page.evaluate("async (events) => (await import('field/main.js')).app.sync.enqueue(events)", list(events))


def arrived(visit: str = BAKERY, day: str = MONDAY) -> dict[str, Any]:
    return {"kind": "arrived", "day": day, "visit_id": visit, "body": {}}


def unsent(page: Page) -> int:
    return sum(1 for row in page.evaluate(QUEUE) if not row["answer"] and not row["refused"])


def test_a_day_without_a_signal_and_reports_that_arrive_once(
    browser: Browser, office: FieldOffice, server: Server, tmp_path: Path
) -> None:
    """The server is killed, the app is closed in between, and comes back."""
    folder, options = tmp_path / "phone", {"executable_path": chromium_of_the_system(), "args": CHROMIUM_ARGUMENTS}

    def started() -> BrowserContext:
        context = browser.browser_type.launch_persistent_context(folder, viewport=PHONE, **options)
        context.clock.set_fixed_time(MORNING)
        return context

    with started() as context:
        let_in(context, server, office.ann)
        kept(opened(context, server))
        server.kill()
        page = opened(context, server)
        expect(page.locator(".field-state")).to_contain_text("Offline")
        expect(page.locator(".field-updated")).to_have_text("Updated 08:00")
        expect(page.locator("main")).to_contain_text("Secret Bakery")
        expect(page.locator("main")).to_contain_text("+358 40 1234567")
        expect(page.locator("main")).to_contain_text("Secret Grocer")
        page.get_by_role("button", name="Map").first.click()
        expect(page.locator(".leaflet-marker-icon.stop")).to_have_count(2)
        page.wait_for_function("() => document.querySelectorAll('canvas.leaflet-tile-loaded').length > 0")
        page.get_by_role("link", name="Week").click()
        expect(page.locator("main")).to_contain_text("Ostrich & Co")
        report(page, BAKERY, "Met", "Wants rye")
        report(page, GROCER, "Not in", "Closed for stocktaking")
        expect(page.locator(".field-unsent")).to_contain_text("2 not sent yet")
    with started() as context:
        page = opened(context, server)
        expect(page.locator(".field-unsent")).to_contain_text("2 not sent yet")
        assert office.reports() == []
        server.start()
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator(".field-unsent")).to_have_count(0)
        expect(page.locator(".field-offline")).to_have_count(0)
        page.reload()
        expect(page.locator(".field-updated")).to_be_visible()
        assert unsent(page) == 0
    assert sorted((made.visit_id, made.disposition, made.text) for made in office.reports()) == [
        (BAKERY, Disposition.MET, "Wants rye"),
        (GROCER, Disposition.NOT_IN, "Closed for stocktaking"),
    ]


@pytest.mark.slow
def test_the_first_load_is_below_400_kb_without_the_base_map(phone: BrowserContext, server: Server) -> None:
    page = phone.new_page()
    network = phone.new_cdp_session(page)
    network.send("Network.enable")
    addresses: dict[str, str] = {}
    sizes: dict[str, float] = {}
    network.on("Network.requestWillBeSent", lambda e: addresses.update({e["requestId"]: e["request"]["url"]}))
    network.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}))
    page.goto(server.base + APP)
    kept(page)
    page.get_by_role("button", name="Map").first.click()
    page.wait_for_function("() => document.querySelectorAll('canvas.leaflet-tile-loaded').length > 0")
    loaded = sum(size for id, size in sizes.items() if "basemap.pmtiles" not in addresses[id])
    assert 50_000 < loaded < 400_000


@pytest.mark.slow
def test_the_worker_answers_ranges_of_the_base_map_as_the_server_does(phone: BrowserContext, server: Server) -> None:
    page = opened(phone, server)
    kept(page)
    ask = """async (range) => {
      const { basemap } = JSON.parse(document.getElementById("setup").textContent);
      const asked = () => fetch(basemap.url, { headers: range ? { Range: range } : {}, cache: "no-store" });
      const answer = await asked().catch(asked); // a browser short of time loses an answer of a worker now and then
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const said = ["Content-Range", "ETag"].map((name) => answer.headers.get(name));
      return [answer.status, ...said, [...bytes.slice(0, 7)], bytes.length];
    }"""
    ranges = ("bytes=0-99", "bytes=7-7", "bytes=50-", "bytes=-20", "bytes=0-99999999", "bytes=99999999-", None)
    server.kill()
    offline = [page.evaluate(ask, asked) for asked in ranges]
    server.start()
    page.evaluate("caches.delete('fieldvisit-streets')")
    page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.unregister())")
    page.reload()
    online = [page.evaluate(ask, asked) for asked in ranges]
    assert [answer[:3] + answer[4:] for answer in offline[:-2]] == [answer[:3] + answer[4:] for answer in online[:-2]]
    assert [answer[3] for answer in offline[:-2]] == [answer[3] for answer in online[:-2]]
    assert [answer[:2] for answer in offline[-2:]] == [answer[:2] for answer in online[-2:]]


@pytest.mark.slow
def test_another_one_who_logs_in_sees_nothing_of_the_first_whose_words_wait_for_her(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    ben = office.person("ben", Role.FIELD_REP, "helsinki", frozenset({"b/1"}))
    page = opened(phone, server)
    kept(page)
    server.kill()
    say(page, arrived())
    let_in(phone, server, ben)
    server.start()
    page.reload()
    expect(page.locator("main")).to_contain_text("No visits")
    assert "Bakery" not in page.content()
    everything = page.evaluate(EVERYTHING)
    assert {row["user"] for name in ("documents", "meta", "drafts") for row in everything[name]} == {ben.id}
    assert [row["user"] for row in everything["queue"]] == [office.ann.id]
    server.kill()
    page.reload()
    expect(page.locator(".field-offline")).to_be_visible()
    assert "Bakery" not in page.content()
    server.start()
    assert office.events() == []
    let_in(phone, server, office.ann)
    page.reload()
    expect(page.locator("main")).to_contain_text("Secret Bakery")
    expect(page.locator(".field-unsent")).to_have_count(0)
    assert [(event.made_by, event.visit_id) for event in office.events()] == [(f"user:{office.ann.id}", BAKERY)]


@pytest.mark.slow
def test_logging_out_wipes_the_phone_but_for_what_was_not_sent(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    page = opened(phone, server)
    kept(page)
    warnings: list[str] = []
    page.on("dialog", lambda dialog: (warnings.append(dialog.message), dialog.accept()))
    answers = [BUSY]
    office.hear(lambda text: answers and answers[0])
    say(page, arrived())
    page.get_by_role("link", name="Me", exact=True).click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(re.compile("/login"))
    assert warnings == ["1 report not sent yet: kept on this phone until you log in again. Log out?"]
    everything = page.evaluate(EVERYTHING)
    assert {name for name, rows in everything.items() if rows} == {"queue"}
    assert page.evaluate("caches.keys()") == []
    page.goto(server.base + APP)
    assert page.url.startswith(f"{server.base}/login")
    answers.clear()
    let_in(phone, server, office.ann)
    page.goto(server.base + APP)
    kept(page)
    assert page.evaluate(APPS)
    expect(page.locator(".field-unsent")).to_have_count(0)
    assert len(office.events()) == 1


@pytest.mark.slow
def test_logging_out_on_another_page_wipes_the_phone_as_well(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    page = opened(phone, server)
    kept(page)
    page.goto(f"{server.base}/account")
    page.locator(".who summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(re.compile("/login"))
    page.wait_for_function("() => caches.keys().then((names) => !names.length)")
    page.wait_for_function(f"() => ({EVERYTHING})().then((found) => !found.documents.length)")


@pytest.mark.slow
def test_when_the_session_has_run_out_the_app_works_on_and_says_what_logging_in_would_send(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    page = opened(phone, server)
    kept(page)
    phone.clear_cookies(name="fieldvisit")
    page.reload()
    kept(page)
    say(page, arrived())
    link = page.get_by_role("link", name="Log in to send 1 report")
    expect(link).to_be_visible()
    expect(page.locator("main")).to_contain_text("Secret Bakery")
    link.click()
    page.get_by_label("E-mail address").fill("ann@example.com")
    page.get_by_label("Password").fill("five quiet herons")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile("/field/helsinki/"))
    expect(page.locator("main")).to_contain_text("Secret Bakery")
    for _ in range(400):  # the page says nothing of what its worker may send
        if office.events():
            break
        page.wait_for_timeout(50)
    assert len(office.events()) == 1
    expect(page.locator(".field-unsent")).to_have_count(0)


@pytest.mark.slow
def test_what_the_server_refuses_is_shown_and_blocks_nothing(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    page = opened(phone, server)
    kept(page)
    say(page, {"kind": "late", "day": MONDAY, "body": {"leave_at": "soon"}}, arrived(), arrived(GROCER))
    expect(page.locator(".field-unsent")).to_have_count(0)
    assert {event.visit_id for event in office.events()} == {BAKERY, GROCER}
    page.get_by_role("link", name="Me", exact=True).click()
    expect(page.locator("main")).to_contain_text("The server did not take it")
    page.get_by_role("button", name="Throw it away").click()
    expect(page.locator("main")).not_to_contain_text("The server did not take it")
    assert page.evaluate(QUEUE) == []


@pytest.mark.slow
def test_an_answer_that_is_lost_leads_to_no_second_report(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    answers = iter([BUSY])
    office.hear(lambda text: next(answers, None), too_late=True)
    page = opened(phone, server)
    kept(page)
    say(page, arrived())
    for _ in range(3):
        page.evaluate("import('field/main.js').then(({ app }) => app.sync.now())")
    expect(page.locator(".field-unsent")).to_have_count(0)
    assert list(answers) == []
    assert len(office.events()) == 1


@pytest.mark.slow
def test_two_tabs_send_each_thing_once_and_both_know_it(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    sent: list[str] = []
    office.hear(sent.append)
    first = opened(phone, server)
    kept(first)
    second = opened(phone, server)
    kept(second)
    say(first, arrived())
    say(second, arrived(GROCER))
    for page in (first, second):
        expect(page.locator(".field-unsent")).to_have_count(0)
    assert len(office.events()) == 2
    assert sum(body.count(BAKERY) for body in sent) == 1
    assert sum(body.count(GROCER) for body in sent) == 1


@pytest.mark.slow
def test_a_new_version_takes_over_when_told_to_and_the_queue_stays(
    phone: BrowserContext, office: FieldOffice, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(phone, server)
    kept(page)
    before = page.evaluate(APPS)
    office.hear(lambda text: BUSY)
    say(page, arrived())
    monkeypatch.setattr(field_app, "STYLES", (*field_app.STYLES, "booking.css"))
    page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update())")
    take = page.get_by_role("button", name="A new version is here")
    expect(take).to_be_visible()
    take.click()
    page.wait_for_function(f"() => ({APPS})().then((names) => names.length === 1 && names[0] !== '{before[0]}')")
    expect(page.locator(".field-unsent")).to_contain_text("1 not sent yet")
    expect(page.locator("link[href*='booking.css']")).to_have_count(1)


@pytest.mark.slow
def test_a_version_that_comes_only_half_changes_nothing(
    phone: BrowserContext, office: FieldOffice, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(phone, server)
    kept(page)
    before = page.evaluate(APPS)
    files = field_app.keeps()
    monkeypatch.setattr(field_app, "keeps", lambda: [*files, "/static/gone.js"])
    ended = """async () => {
      const one = await (await navigator.serviceWorker.getRegistration()).update();
      return new Promise((over) => {
      const worker = one.installing;
      if (!worker) return over("none");
      worker.onstatechange = () => over(worker.state);
    });
    }"""
    assert page.evaluate(ended) == "redundant"
    assert page.evaluate(APPS) == before
    server.kill()
    page.reload()
    expect(page.locator("main")).to_contain_text("Secret Bakery")


@pytest.mark.slow
def test_tomorrow_is_there_when_the_app_is_opened_tomorrow_without_a_signal(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    page = opened(phone, server)
    kept(page)
    server.kill()
    phone.clock.set_fixed_time(MORNING.replace(day=1, month=12))
    page.reload()
    expect(page.locator("main")).to_contain_text("Ostrich & Co")
    expect(page.locator(".field-updated")).to_have_text("Updated Mon 30 Nov 08:00")
    assert TUESDAY.endswith("12-01")


@pytest.mark.slow
def test_a_stop_that_is_added_without_a_signal_is_reported_and_a_view_that_fails_keeps_nothing_from_being_sent(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    page = opened(phone, server)
    kept(page)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    server.kill()
    say(page, {"kind": "added", "day": MONDAY, "visit_id": FLORIST})
    not_in = {"disposition": "not_in", "text": "Closed", "at_customer": True}
    say(page, {"kind": "reported", "day": MONDAY, "visit_id": FLORIST, "body": not_in})
    expect(page.locator(".field-unsent")).to_contain_text("2 not sent yet")
    assert errors == []
    page.evaluate("""() => {
      const none = () => { throw new Error("no drawing"); };
      Object.defineProperty(Intl.DateTimeFormat.prototype, "format", { get: none });
      Intl.DateTimeFormat.prototype.formatToParts = none;
    }""")
    server.start()
    say(page, arrived())
    for _ in range(3):
        page.evaluate("import('field/main.js').then(({ app }) => app.sync.now())")
    assert len(office.events()) == 3


@pytest.mark.slow
def test_what_the_server_fails_on_waits_behind_all_others_and_says_why(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    office.hear(lambda text: ({"title": "It broke"}, 500) if GROCER in text else None)
    page = opened(phone, server)
    kept(page)
    say(page, *(arrived(GROCER), arrived(), arrived(FLORIST)))
    for _ in range(3):
        page.evaluate("import('field/main.js').then(({ app }) => app.sync.now())")
    expect(page.locator(".field-unsent")).to_contain_text("1 not sent yet")
    expect(page.locator(".field-problem")).to_have_text("It broke")
    assert {event.visit_id for event in office.events()} == {BAKERY, FLORIST}


@pytest.mark.slow
def test_of_two_tabs_documents_the_newer_stays_and_what_was_seen_is_gone(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    page = opened(phone, server)
    kept(page)
    told = page.evaluate(
        """async (event) => {
          const { openStore, whoseIsIt } = await import("field/store.js");
          const { app } = await import("field/main.js");
          const store = await openStore(whoseIsIt());
          const { document, fetchedAt } = await store.document("helsinki", "ann");
          await store.keepDocument("helsinki", "ann", { ...document, older: true }, "old", fetchedAt - 1);
          const kept = await store.document("helsinki", "ann");
          app.sync.stop();
          const { openDB } = await import("idb");
          const db = await openDB("fieldvisit-field");
          const row = { user: whoseIsIt(), area: "helsinki", refused: null };
          const answer = { outcome: "conflict", message: "Ben goes.", at: fetchedAt };
          await db.add("queue", { ...row, event, answer });
          db.close();
          await app.sync.retry("nothing");
          const before = app.sync.state.conflicts.map(({ message }) => message);
          await app.sync.enqueue([{ kind: "settled", day: event.day, body: { event: event.id } }]);
          return [Boolean(kept.document.older), before, app.sync.state.conflicts.length];
        }""",
        arrived() | {"id": "e1", "rep_id": "ann", "made_at": MORNING.isoformat(), "base": 0},
    )
    assert told == [False, ["Ben goes."], 0]


@pytest.mark.slow
def test_a_page_of_an_area_that_is_gone_keeps_no_new_version_away(
    phone: BrowserContext, office: FieldOffice, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(phone, server)
    kept(page)
    before = page.evaluate(APPS)
    page.evaluate("(name) => caches.open(name).then((app) => app.put('/field/gone/', new Response('')))", before[0])
    monkeypatch.setattr(field_app, "STYLES", (*field_app.STYLES, "booking.css"))
    page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update())")
    expect(page.get_by_role("button", name="A new version is here")).to_be_visible()
    [new] = set(page.evaluate(APPS)) - set(before)
    assert page.evaluate("(name) => caches.open(name).then((app) => app.match('/field/gone/'))", new) is None


@pytest.mark.slow
def test_a_base_map_for_which_there_is_no_room_is_not_fetched_and_a_clock_that_is_wrong_is_noticed(
    phone: BrowserContext, office: FieldOffice, server: Server
) -> None:
    phone.add_init_script("StorageManager.prototype.estimate = async () => ({ quota: 1e6, usage: 1e6 - 10 });")
    whole: list[str] = []
    phone.on("request", lambda asked: whole.append(asked.url) if "basemap" in asked.url else None)
    page = opened(phone, server)
    expect(page.locator(".field-updated")).to_be_visible(timeout=20_000)
    office.clock.now = MORNING + timedelta(minutes=17)
    for _ in range(2):
        page.evaluate("import('field/main.js').then(({ app }) => app.sync.now())")
    assert page.evaluate("import('field/main.js').then(({ app }) => app.sync.state.clockOff)") == -17
    assert whole == []
