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
import { finishCheckIns } from "field/views/acts.js";
import { note, noted } from "field/views/parts.js";
import { clock, count, dateOf, duration, NOT_KEPT, notKept, shortDay } from "field/views/words.js";

const VIEWS = { today, day: today, stop, report, correct: report, change: replan, week, me };
const TABS = [["#/today", "Today"], ["#/week", "Week"], ["#/me", "Me"]];

const OLD_DAYS = 14;
const OLD_MS = OLD_DAYS * 24 * 3600_000;
const AGAIN_MS = 30_000;
const LOGGED_OUT = "fieldvisit.logged-out"; // here, while the server has not been told

const setup = JSON.parse(document.getElementById("setup").textContent);
const root = document.getElementById("app");
root.replaceChildren(); // what stood there until now
const api = createApi(setup.area, setup.identity);
const map = createMap();
const now = () => new Date();

let store = null;
let sync = null;
let several = false; // whether there are days of other people that this person may see
let waitingWorker = null;
let said = ""; // in place of a day: why there is none
let forgotten = null; // why the days that were on this phone are not any more
let unfinished = []; // reports that are written by half
let trouble = ""; // what the phone itself could not do

/** For the console, and for tests. */
export const app = { get sync() { return sync; }, get store() { return store; } };

// --- the address ------------------------------------------------------------------------------------------------------

/** Of an address that nobody has written so, nothing is known: it shows today. */
function plain(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** {view, date, visitId, kind, rest} of '#/stop/2026-11-30/account%3AA1'. */
function route() {
  const [name = "today", date = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(plain);
  return { view: VIEWS[name] ?? today, name: VIEWS[name] ? name : "today", date, rest, visitId: rest.at(-1) ?? "", kind: rest[0] ?? "" };
}

const go = (hash) => {
  location.hash = hash;
};

addEventListener("hashchange", () => {
  trouble = "";
  show();
  readUnfinished();
  scrollTo(0, 0);
  document.getElementById("content")?.focus({ preventScroll: true });
});

async function readUnfinished() {
  if (!sync?.document) return;
  unfinished = await report.unfinished(store, sync.document.rep.id);
  show();
}

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
    document, day, stop, route: at, today, sync, store, api, go, now, several, unfinished, logOut, chooseRep, login,
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

/** Where to log in, and come back to what is shown. */
const login = () => setup.login + encodeURIComponent(location.hash);

/** The line that always says how fresh this is, and what has not been sent. */
function state(zone) {
  const { online, needsLogin, pending, sending, problem, clockOff } = sync.state;
  return html`<div class="field-state ${online ? "" : "is-offline"}">
    <div class="field-told" role="status">
      ${online ? nothing : html`<strong class="field-offline">Offline</strong>`}
      ${pending ? html`<span class="field-unsent">${pending} not sent yet</span>` : nothing}
      ${[trouble, problem].filter(Boolean).map((text) => html`<span class="field-problem">${text}</span>`)}
      ${clockOff ? html`<span class="field-problem">This phone’s clock is ${duration(Math.abs(clockOff) * 60)} ${clockOff < 0 ? "slow" : "fast"}</span>` : nothing}
    </div>
    ${sending ? html`<span>Sending …</span>` : updated(zone)}
    ${needsLogin ? html`<a class="button" href=${login()}>${pending ? `Log in to send ${count(pending, "report")}` : "Log in to update"}</a>` : nothing}
    ${waitingWorker && !needsLogin ? html`<button type="button" class="button" @click=${takeOver}>A new version is here: use it</button>` : nothing}
  </div>`;
}

const tabs = (current) => html`<nav class="field-tabs" aria-label="Main">
  ${TABS.map(([hash, text]) => html`<a href=${hash} aria-current=${hash === `#/${current}` ? "page" : nothing}>${text}</a>`)}</nav>`;

const frame = (top, content, current) => html`
  <header class="field-top"><a class="field-name" href="#/today">My day</a>${top}</header>
  <main id="content" tabindex="-1">${content}</main>
  ${current === null ? nothing : tabs(current)}`;

function show() {
  if (!sync?.document) return render(frame(nothing, html`<h1>My day</h1><div class="field-said">${forgotten ?? nothing}${said || "One moment …"}</div>`, null), root);
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
  if (noted(LOGGED_OUT)) return tellLoggedOut();
  const user = whoseIsIt();
  if (!user) return say(logInFirst());
  store = await openStore(user);
  const rep = (await store.meta(`rep of ${setup.area}`)) ?? (await findRep());
  if (!rep) return;
  several = Boolean(await store.meta(SEVERAL));
  const kept = await store.document(setup.area, rep);
  if (kept && now() - kept.fetchedAt > OLD_MS) await forgetOld(rep);
  sync = createSync({ store, api, rep, onChange: changed });
  await sync.start();
  await readUnfinished();
  await finishCheckIns(store, sync, setup.area, rep);
}

/** Days that nobody has asked the server about for so long are no longer this phone's to show. */
async function forgetOld(rep) {
  await store.wipe();
  await remember(rep, several);
  forgotten = html`<p>The days on this phone had not been updated for ${OLD_DAYS} days, and are no longer on it. What is not sent yet still is.</p>`;
}

/** Whose days these are: the person's own, or for who may see several, those that they choose. Nothing until then. */
async function findRep(asked = false) {
  try {
    const { user, reps } = await api.identity();
    if (user.id !== store.user) return await startAgain();
    if (asked && reps.length > 1) leaveDays();
    if (reps.length === 1) return await remember(reps[0].id, false);
    say(reps.length ? choose(reps) : html`<p>There are no days of yours in ${setup.area}. <a href=${setup.wholeSite}>To the other pages</a></p>`);
  } catch (error) {
    if (sync) {
      trouble = error instanceof Offline ? "There is no connection" : error.message;
      show();
      return null;
    }
    say(error instanceof Offline ? html`<p>There is no connection, and this phone knows no day of yours yet.</p>` : error.status === 401 ? logInFirst() : html`<p>${error.message}</p>`);
  }
  return null;
}

const SEVERAL = `several of ${setup.area}`;

async function remember(rep, others) {
  await store.setMeta(`rep of ${setup.area}`, rep);
  await store.setMeta(SEVERAL, others);
  return rep;
}

const choose = (reps) => html`<p>Whose days?</p><ul class="plain">${reps.map(({ id, name }) => html`<li>
  <button type="button" class="button" @click=${async () => { await remember(id, reps.length > 1); location.reload(); }}><bdi>${name}</bdi></button></li>`)}</ul>`;

/** Another rep's days: of the person's own wish, or since the one whose days were here is `gone`. */
async function chooseRep({ gone = false } = {}) {
  const rep = gone ? null : await store.meta(`rep of ${setup.area}`);
  if (gone) {
    leaveDays();
    await store.wipe();
    forgotten = html`<p>The rep whose days were on this phone is not there any more, or not for you to see. What is not sent yet stays.</p>`;
  }
  const found = await findRep(!gone);
  if (found && found !== rep) location.reload();
  else if (found) show();
}

let started = false;

function changed() {
  if (!sync) return;
  const { online, needsLogin, problem, otherUser, gone } = sync.state;
  if (otherUser || ![store.user, ""].includes(whoseIsIt())) return tellWhoIsHere();
  if (gone) return chooseRep({ gone });
  if (sync.document && now() - sync.state.updatedAt > OLD_MS) return location.reload(); // and they are forgotten
  if (sync.document) forgotten = null;
  else {
    if (needsLogin) return say(logInFirst());
    return say(problem ? html`<p>${problem}</p>` : online ? "" : html`<p>There is no connection, and this phone knows no day of yours yet.</p>`);
  }
  show();
  if (!started && sync.state.updatedAt && sync.state.online) {
    started = true;
    navigator.storage?.persist?.();
    createStreets(setup.basemap, show).fetch();
  }
}

/** Somebody else has logged in, in another tab: what is shown here is not theirs, and goes. */
async function tellWhoIsHere() {
  leaveDays();
  const ask = (who) => say(html`<p>${who} logged in on this phone now. Log in, and your days are here again; what you have not sent stays.</p>
    <p class="acts"><a class="button button-main" href=${setup.login}>Log in</a><button type="button" class="button" @click=${() => location.reload()}>To their days</button></p>`);
  ask("Somebody else is");
  const { user } = await api.identity().catch(() => ({}));
  if (user?.id === store.user) location.reload();
  else if (user) ask(html`<bdi>${user.name}</bdi> is`);
}

/** Somebody else has logged in: asking who makes the server say so to this page as well. */
async function startAgain() {
  leaveDays();
  const { user } = await api.identity().catch(() => ({}));
  if (user && user.id === whoseIsIt()) location.reload();
  else say(html`<p>Somebody else may be logged in on this phone. Log in, and your days are here again.</p><p><a class="button button-main" href=${setup.login}>Log in</a></p>`);
  return null;
}

/** End the session, and leave nothing of this person on the phone but what they have not sent; whatever the server says. */
async function logOut() {
  const drafts = (await store.drafts()).filter(({ key }) => key.startsWith("draft:")).length;
  const { pending } = sync.state;
  const unsent = [pending && `${count(pending, "report")} not sent yet`, drafts && `${count(drafts, "report")} half written`].filter(Boolean);
  if (unsent.length && !confirm(`${unsent.join(", ")}: kept on this phone until you log in again. Log out?`)) return;
  leaveDays();
  say(html`<p>Logging out …</p>`);
  note(LOGGED_OUT, "yes");
  await store.wipe().catch((error) => console.warn(error)); // the log-in page does it once more
  for (const name of (await self.caches?.keys()) ?? []) if (name.startsWith("fieldvisit-")) await caches.delete(name);
  await tellLoggedOut();
}

/** The server has to know as well, or who opens the site next is still logged in. */
async function tellLoggedOut() {
  try {
    await api.logOut();
  } catch (error) {
    if (error.status !== 401) {
      say(html`<p>You are logged out on this phone, and your days are no longer on it. There is no connection, so the server does not know yet:
        it will be told as soon as there is one while this page is open, or when “My day” is opened next.</p>`);
      setTimeout(tellLoggedOut, AGAIN_MS);
      return;
    }
  }
  note(LOGGED_OUT, null);
  for (const name of ["fieldvisit-who", "__Host-fieldvisit-who"]) document.cookie = `${name}=; Path=/; Max-Age=0${name.startsWith("__Host-") ? "; Secure" : ""}`;
  location.assign("/login");
}

function leaveDays() {
  sync?.stop();
  sync = null;
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

// --- when the phone itself does not do what it should -------------------------------------------------------------------

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  console.warn(event.reason);
  trouble = notKept(event.reason) ? NOT_KEPT : `Something went wrong: ${event.reason?.message ?? event.reason}`;
  show();
});

/** Private windows and full phones may keep nothing at all; without that the app is not safe to write in. */
function cannot(error) {
  say(html`<p>This phone does not let the app keep anything, so it cannot be used here. Private windows and blocked cookies are the usual reason.</p>
    <p class="quiet small">${error.message}</p><p><a class="button button-main" href=${setup.wholeSite}>To the other pages</a></p>`);
}

setInterval(() => sync?.document && show(), 30_000);
show();
start().catch(cannot);
addEventListener("load", () => work().catch((error) => console.warn(error)));
