// Starts the app: whose phone is it, what does it know of their days, and which view does the address name?

import { html, nothing, render } from "lit-html";
import { createApi, Offline } from "field/api.js";
import { createMap } from "field/map.js";
import { withQueue } from "field/overlay.js";
import { openStore, whoseIsIt } from "field/store.js";
import { createStreets } from "field/streets.js";
import { createSync } from "field/sync.js";
import * as me from "field/views/me.js";
import * as replan from "field/views/replan.js";
import * as report from "field/views/report.js";
import * as stop from "field/views/stop.js";
import * as today from "field/views/today.js";
import * as week from "field/views/week.js";
import { addDays, clock, count, dateOf, shortDay } from "field/views/words.js";

const VIEWS = { today, day: today, stop, report, change: replan, week, me };
const TABS = [["#/today", "Today"], ["#/week", "Week"], ["#/me", "Me"]];

const setup = JSON.parse(document.getElementById("setup").textContent);
const root = document.getElementById("app");
root.replaceChildren(); // what stood there until now
const api = createApi(setup.area, setup.identity);
const map = createMap();
const now = () => new Date();

let store = null;
let sync = null;
let streets = null;
let waitingWorker = null;
let said = ""; // in place of a day: why there is none

/** For the console, and for tests. */
export const app = { get sync() { return sync; }, get store() { return store; } };

// --- the address ------------------------------------------------------------------------------------------------------

/** {view, date, visitId, kind, rest} of '#/stop/2026-11-30/account%3AA1'. */
function route() {
  const [name = "today", date = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  return { view: VIEWS[name] ?? today, name: VIEWS[name] ? name : "today", date, rest, visitId: rest.at(-1) ?? "", kind: rest[0] ?? "" };
}

const go = (hash) => {
  location.hash = hash;
};

addEventListener("hashchange", () => {
  show();
  scrollTo(0, 0);
  document.getElementById("content")?.focus({ preventScroll: true });
});

// --- what is shown ----------------------------------------------------------------------------------------------------

let known = {}; // the document with the queue over it, as long as neither changes: a map is drawn again for a new day only

function overlaid(today) {
  const { document, rows } = sync;
  if (known.of !== document || known.rows !== rows || known.today !== today)
    known = { of: document, rows, today, document: { ...withQueue(document, rows), today } };
  return known.document;
}

function context() {
  const at = route();
  const zone = sync.document.rep.timezone;
  const today = dateOf(now(), zone);
  const document = overlaid(today);
  const day = document.days.find(({ date }) => date === (at.date || today)) ?? null;
  const stop = [...(day?.stops ?? []), ...(day?.left_out ?? [])].find(({ visit_id }) => visit_id === at.visitId) ?? null;
  return {
    document, day, stop, route: at, today, tomorrow: addDays(today, 1), sync, store, api, go, now, streets, setup, logOut, chooseRep,
    refresh: show,
    /** An element with the map: of a day, around one stop if there is one. */
    map: (shownDay = day, around = null) => (shownDay ? map.show(shownDay, document.rep, around) : nothing),
  };
}

function updated(zone) {
  const { updatedAt } = sync.state;
  if (!updatedAt) return nothing;
  const day = dateOf(updatedAt, zone);
  return html`<span class="field-updated">Updated ${day === dateOf(now(), zone) ? "" : `${shortDay(day)} `}<span class="numbers">${clock(updatedAt, zone)}</span></span>`;
}

/** The line that always says how fresh this is, and what has not been sent. */
function state(zone) {
  const { online, needsLogin, pending, sending, problem } = sync.state;
  const login = setup.login + encodeURIComponent(location.hash);
  return html`<div class="field-state ${online ? "" : "is-offline"}" role="status">
    ${online ? nothing : html`<strong class="field-offline">Offline</strong>`}
    ${updated(zone)}
    ${pending ? html`<span class="field-unsent">${sending ? "Sending" : ""} ${pending} not sent yet</span>` : nothing}
    ${problem ? html`<span class="field-problem">${problem}</span>` : nothing}
    ${needsLogin ? html`<a class="button" href=${login}>${pending ? `Log in to send ${count(pending, "report")}` : "Log in to update"}</a>` : nothing}
    ${waitingWorker ? html`<button type="button" class="button" @click=${takeOver}>A new version is here: use it</button>` : nothing}
  </div>`;
}

const tabs = (current) => html`<nav class="field-tabs" aria-label="Main">
  ${TABS.map(([hash, text]) => html`<a href=${hash} aria-current=${hash === `#/${current}` ? "page" : nothing}>${text}</a>`)}</nav>`;

const frame = (top, content, current) => html`
  <header class="field-top"><a class="field-name" href="#/today">My day</a>${top}</header>
  <main id="content" tabindex="-1">${content}</main>
  ${current === null ? nothing : tabs(current)}`;

function show() {
  if (!sync?.document) return render(frame(nothing, html`<h1>My day</h1><div class="field-said">${said || "One moment …"}</div>`, null), root);
  const ctx = context();
  render(frame(state(ctx.document.rep.timezone), ctx.route.view.view(ctx), ctx.route.name), root);
}

function say(template) {
  said = template;
  show();
}

// --- starting ---------------------------------------------------------------------------------------------------------

const logInFirst = () => html`<p>Log in to see your days on this phone.</p><p><a class="button button-main" href=${setup.login}>Log in</a></p>`;

async function start() {
  const user = whoseIsIt();
  if (!user) return say(logInFirst());
  store = await openStore(user);
  const rep = (await store.meta(`rep of ${setup.area}`)) ?? (await findRep());
  if (!rep) return;
  sync = createSync({ store, api, rep, onChange: changed });
  streets = createStreets(setup.basemap, show);
  await sync.start();
}

/** Whose days these are: the person's own, or for who may see several, those that they choose. Nothing until then. */
async function findRep() {
  try {
    const { user, reps } = await api.identity();
    if (user.id !== store.user) return startAgain();
    if (reps.length === 1) return await remember(reps[0].id);
    say(reps.length ? choose(reps) : html`<p>There are no days of yours in ${setup.area}. <a href=${setup.wholeSite}>To the other pages</a></p>`);
  } catch (error) {
    say(error instanceof Offline ? html`<p>There is no connection, and this phone knows no day of yours yet.</p>` : error.status === 401 ? logInFirst() : html`<p>${error.message}</p>`);
  }
  return null;
}

async function remember(rep) {
  await store.setMeta(`rep of ${setup.area}`, rep);
  return rep;
}

const choose = (reps) => html`<p>Whose days?</p><ul class="plain">${reps.map(({ id, name }) => html`<li>
  <button type="button" class="button" @click=${async () => { await remember(id); location.reload(); }}><bdi>${name}</bdi></button></li>`)}</ul>`;

async function chooseRep() {
  const { reps } = await api.identity();
  sync = null;
  say(choose(reps));
}

let started = false;

function changed() {
  if (sync.state.otherUser) return startAgain();
  if (!sync.document) {
    const { online, needsLogin, problem } = sync.state;
    if (needsLogin) return say(logInFirst());
    return say(problem ? html`<p>${problem}</p>` : online ? "" : html`<p>There is no connection, and this phone knows no day of yours yet.</p>`);
  }
  show();
  if (!started && sync.state.updatedAt && sync.state.online) {
    started = true;
    navigator.storage?.persist?.();
    streets.fetch();
  }
}

/** Somebody else has logged in: asking who makes the server say so to this page as well. */
async function startAgain() {
  await api.identity();
  location.reload();
  return null;
}

/** End the session, and leave nothing of this person on the phone but what they have not sent. */
async function logOut() {
  const { pending } = sync.state;
  const warning = `${count(pending, "report")} not sent yet: kept on this phone until you log in again. Log out?`;
  if (pending && !confirm(warning)) return;
  await api.logOut();
  await store.wipe();
  for (const name of await caches.keys()) if (name.startsWith("fieldvisit-")) await caches.delete(name);
  location.assign("/login");
}

// --- the worker -------------------------------------------------------------------------------------------------------

function takeOver() {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waitingWorker.postMessage("take over");
}

async function work() {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register("/field/sw.js", { scope: "/field/", updateViaCache: "none" });
  const heard = () => {
    if (!registration.waiting || !registration.active) return;
    waitingWorker = registration.waiting;
    if (sync?.document) show();
  };
  heard();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", heard));
  const ready = await navigator.serviceWorker.ready;
  ready.active.postMessage({ keep: location.pathname });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && registration.update().catch(() => null));
}

setInterval(() => sync?.document && show(), 30_000);
show();
start();
addEventListener("load", () => work().catch((error) => console.warn(error)));
