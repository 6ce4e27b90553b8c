"use strict";
/* The coverage map: what is shown stands in the address, so that it can be sent to somebody. Names come by URL when they
   are asked for and become textContent. */
fieldvisit.listen = (map) => {
  const page = document.querySelector("[data-coverage-map]");
  const find = (selector) => page.querySelector(selector);
  const { element } = fieldvisit;
  const { STATES, UNKNOWN, unpacked } = fieldvisit.covered;
  const AGAIN_MS = 4_000; // while coverage is worked out for the first time
  const MOST_LISTED = 50;
  const week = find("#week");
  const boxes = [...page.querySelectorAll("[name=state]")];
  const filters = [...page.querySelectorAll("[data-filter]")];
  let told = null; // the accounts
  let asked = new URLSearchParams(location.hash.slice(1)); // what stands behind the # of the address
  let waits = 0;

  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  if (window.ResizeObserver) new ResizeObserver(() => map.invalidateSize()).observe(map.getContainer());
  map.crowd.kinds([
    { shape: "triangle", colour: "--cover-overdue" }, { shape: "diamond", colour: "--cover-due" },
    { shape: "circle", colour: "--cover-visited" }, { shape: "ring", colour: "--cover-dormant" },
  ]);

  /* --- what the parts of the page share ---------------------------------------------------------------------------- */
  const said = (text) => { find("[data-said]").textContent = text; };

  function problem(text) {
    const note = find("[data-problem]");
    note.textContent = text;
    note.hidden = !text;
  }

  /* The JSON of an address of ours; null where it could not be had, which has been said then. */
  async function fetched(url) {
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (answer.redirected) return location.reload() ?? null; // somebody has to log in again
      if (answer.ok) {
        problem("");
        return await answer.json();
      }
      const why = await answer.json().catch(() => ({}));
      if (answer.status === 409) { // worked out anew meanwhile
        await load();
        problem("The figures have been worked out anew just now. Ask again.");
      } else problem(why.detail || "That could not be loaded. Try again.");
    } catch {
      problem("The server cannot be reached. Try again.");
    }
    return null;
  }

  /* Keep one thing that is asked for in the address; nothing is kept of what is usual. */
  function keep(name, value) {
    if (value === "" || value === "*" || value === undefined) asked.delete(name);
    else asked.set(name, value);
    history.replaceState(history.state, "", asked.size ? `#${asked}` : location.pathname + location.search);
  }

  function option(select, value, text) {
    const made = element("option", "", text);
    made.value = value;
    select.append(made);
  }

  const shared = { map, page, find, fetched, keep, problem, said, option, ask: (name) => asked.get(name) ?? "", popup, isDrawing: () => false };
  const parts = [fieldvisit.territories(shared), fieldvisit.around(shared)];

  /* --- accounts ---------------------------------------------------------------------------------------------------- */
  async function load() {
    const answer = await fetch(page.dataset.accounts, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.status === 404) return void setTimeout(load, AGAIN_MS); // not worked out yet
    if (answer?.redirected) return location.reload();
    if (!answer?.ok) return problem("The customers could not be loaded. Load the page again.");
    const first = told === null;
    told = unpacked(await answer.json());
    [week.min, week.max] = told.weeks;
    if (first) {
      for (const [id, name] of told.reps) option(find("#rep"), id || "-", id ? name : "nobody’s");
      for (const name of told.segments) option(find("#segment"), name || "-", name || "no segment");
      for (const [id, name] of told.territories) if (id) option(find("#territory"), id, name);
      option(find("#territory"), "-", "in no territory");
      find("#territory").closest("p").hidden = told.territories.length < 2;
    }
    find("[data-nowhere]").hidden = !told.nowhere;
    find("[data-count=nowhere]").textContent = told.nowhere.toLocaleString("en-GB");
    find("[data-tools]").hidden = false;
    if (first && !shared.ask("at") && told.number) frame();
    apply();
    if (!performance.getEntriesByName("customers-drawn").length) performance.mark("customers-drawn");
    for (const part of parts) if (first) part.accountsCame?.(told);
  }

  /* Nearer, where customers stand in a part of the streets only. */
  function frame() {
    const bounds = L.latLngBounds([[Math.min(...told.lats), Math.min(...told.lons)], [Math.max(...told.lats), Math.max(...told.lons)]]);
    const options = { padding: [36, 36], maxZoom: 15, animate: false };
    if (map.getBoundsZoom(bounds, false, L.point(72, 72)) > map.getZoom()) map.fitBounds(bounds, options);
  }

  function chosen() {
    const number = (name, list) => {
      const value = shared.ask(name);
      if (!value) return null;
      const at = list.indexOf(value === "-" ? "" : value);
      return at < 0 ? null : at; // somebody or something that is not here any more
    };
    return {
      rep: number("rep", told.reps.map(([id]) => id)),
      segment: number("segment", told.segments),
      territory: number("territory", told.territories.map(([id]) => id)),
    };
  }

  function show() {
    const day = 7 * Number(week.value);
    const states = told.statesOn(day);
    const only = chosen();
    const wanted = boxes.map((box) => box.checked);
    const counts = new Array(STATES.length).fill(0);
    const which = [];
    let unknown = 0;
    for (let place = 0; place < told.number; place++) {
      if (states[place] === UNKNOWN) {
        unknown++;
        continue;
      }
      if (only.rep !== null && told.rep[place] !== only.rep) continue;
      if (only.segment !== null && told.segment[place] !== only.segment) continue;
      if (only.territory !== null && told.territory[place] !== only.territory) continue;
      counts[states[place]]++;
      if (wanted[states[place]]) which.push(place);
    }
    map.crowd.show({ lats: told.lats, lons: told.lons, kinds: states, which });
    STATES.forEach((state, at) => { find(`[data-count=${state}]`).textContent = counts[at].toLocaleString("en-GB"); });
    const shown = which.length === told.number ? "" : `${which.length.toLocaleString("en-GB")} of ${told.number.toLocaleString("en-GB")} shown`;
    find("[data-shown]").textContent = unknown ? `${shown}; of ${unknown.toLocaleString("en-GB")} no visit is known until then` : shown;
    sayWeek(day);
  }

  function sayWeek(day) {
    const weeks = day / 7;
    const at = new Date(`${told.as_of}T00:00Z`);
    at.setUTCDate(at.getUTCDate() + day);
    const text = at.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).replace(",", "");
    const many = `${Math.abs(weeks)} ${Math.abs(weeks) === 1 ? "week" : "weeks"}`;
    const away = weeks === 0 ? "today" : weeks < 0 ? `${many} ago` : `in ${many}, if all goes as planned`;
    find("[data-week-said]").textContent = `${text} · ${away}`;
    week.setAttribute("aria-valuetext", `${text}, ${away}`);
  }

  /* Once a frame, however fast somebody slides. */
  function soon() {
    cancelAnimationFrame(waits);
    waits = requestAnimationFrame(show);
  }

  /* Everything as the address asks for it. */
  function apply() {
    const hidden = new Set(shared.ask("hide").split(","));
    for (const box of boxes) box.checked = !hidden.has(box.value);
    week.value = shared.ask("week") || "0";
    for (const select of filters) {
      select.value = shared.ask(select.dataset.filter) || "*";
      if (!select.value) select.value = "*";
    }
    const [lat, lon, zoom] = shared.ask("at").split(",").map(Number);
    if (shared.ask("at") && [lat, lon, zoom].every(Number.isFinite)) map.setView([lat, lon], zoom, { animate: false });
    show();
    for (const part of parts) part.apply();
  }

  for (const box of boxes) box.addEventListener("change", () => {
    keep("hide", boxes.filter((one) => !one.checked).map((one) => one.value).join(","));
    show();
  });
  for (const select of filters) select.addEventListener("change", () => {
    keep(select.dataset.filter, select.value);
    show();
  });
  week.addEventListener("input", () => {
    keep("week", week.value === "0" ? "" : week.value);
    soon();
  });
  map.on("moveend", () => {
    if (!told) return;
    const { lat, lng } = map.getCenter();
    keep("at", `${lat.toFixed(4)},${lng.toFixed(4)},${map.getZoom()}`);
  });
  addEventListener("hashchange", () => {
    asked = new URLSearchParams(location.hash.slice(1));
    if (told) apply();
  });

  /* --- clicks ------------------------------------------------------------------------------------------------------ */
  function popup(at, content) {
    return L.popup({ maxWidth: 280, maxHeight: 320 }).setLatLng(at).setContent(content).openOn(map);
  }

  async function named(places) {
    const query = new URLSearchParams([["stamp", told.stamp], ...places.map((place) => ["n", place])]);
    return (await fetched(`${page.dataset.customers}?${query}`))?.customers ?? null;
  }

  function customer(one) {
    const box = element("div", "popup-customer");
    const link = element(one.url ? "a" : "strong", "");
    if (one.url) link.href = one.url;
    link.append(element("bdi", "", one.name));
    box.append(link);
    for (const line of one.lines) box.append(element("p", "popup-line", line));
    return box;
  }

  async function open({ places, latlng }) {
    const content = element("div", "popup", "Loading …");
    const opened = popup(latlng, content);
    const customers = await named(places.slice(0, MOST_LISTED));
    if (!customers) return opened.close();
    content.replaceChildren(...customers.map(customer));
    opened.update();
  }

  map.on("click", (event) => {
    if (shared.isDrawing()) return;
    const hit = map.crowd.at(event.containerPoint);
    if (hit?.cluster !== undefined) return map.flyTo(hit.latlng, hit.zoom, { animate: !fieldvisit.isCalm(), duration: 0.4 });
    if (hit) return open(hit);
    for (const part of parts) if (part.clicked(event)) return;
  });
  map.on("mousemove", (event) => {
    map.getContainer().classList.toggle("is-hit", !shared.isDrawing() && map.crowd.at(event.containerPoint) !== null);
  });

  find("[data-list]").addEventListener("click", async () => {
    const states = told.statesOn(7 * Number(week.value));
    const places = map.crowd.inView().sort((a, b) => states[a] - states[b] || a - b);
    const customers = await named(places.slice(0, MOST_LISTED));
    if (!customers) return;
    find("[data-in-view]").replaceChildren(...customers.map((one) => {
      const item = element("li", "");
      item.append(customer(one));
      return item;
    }));
    const number = places.length.toLocaleString("en-GB");
    said(places.length > MOST_LISTED ? `${MOST_LISTED} of ${number} customers are listed, overdue ones first` : `${number} customers are listed`);
  });

  load();
};
