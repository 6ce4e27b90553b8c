// The phone itself: what to look at, what is not sent, what it keeps, and the way out.

import { html, nothing } from "lit-html";
import { chooseNavigationApp, icon, NAVIGATION_APPS, navigationApp } from "field/views/parts.js";
import { count, EVENTS, nearDay, since } from "field/views/words.js";

let storage = null;

/** How much of the phone the app takes, asked once a visit to this view. */
function measure(ctx) {
  if (storage || !navigator.storage?.estimate) return;
  storage = {};
  navigator.storage.estimate().then(({ usage }) => {
    storage = { usage };
    ctx.refresh();
  }, () => null);
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

const where = (ctx, { name, day }) => html`${name ? html`<bdi>${name}</bdi>, ` : nothing}${nearDay(day, ctx.document.today)}`;

const stopOf = (ctx, { day, visit_id }) => {
  const of = ctx.document.days.find(({ date }) => date === day);
  return visit_id && [...(of?.stops ?? []), ...(of?.left_out ?? [])].some((stop) => stop.visit_id === visit_id);
};

function conflict(ctx, found) {
  const seen = () => ctx.sync.enqueue([{ kind: "settled", day: found.day, body: { event: found.id } }]);
  return html`<li class="card thing"><p><strong>${EVENTS[found.kind] ?? found.kind}</strong> <span class="quiet">${where(ctx, found)}</span></p>
    <p><bdi>${found.message}</bdi></p>
    <p class="acts-quiet">
      ${stopOf(ctx, found) ? html`<a class="button" href=${`#/stop/${found.day}/${encodeURIComponent(found.visit_id)}`}>Open the stop</a>` : nothing}
      <button type="button" class="button" @click=${seen}>Seen</button></p></li>`;
}

function refused(ctx, event) {
  return html`<li class="card thing"><p><strong>${EVENTS[event.kind] ?? event.kind}</strong> <span class="quiet">${where(ctx, { ...event, name: "" })}</span></p>
    <p>The server did not take it: <bdi>${event.message}</bdi></p>
    <p class="acts-quiet">${event.kind === "reported" ? html`<a class="button button-main" href=${["#/correct", event.day, event.id, encodeURIComponent(event.visit_id)].join("/")}>Correct it</a>` : nothing}
      <button type="button" class="button" @click=${() => ctx.sync.retry(event.id)}>Send it again</button>
      <button type="button" class="button button-warn" @click=${() => ctx.sync.discard(event.id)}>Throw it away</button></p></li>`;
}

const waitingLine = (ctx, { event }) => {
  const day = ctx.document.days.find(({ date }) => date === event.day);
  const stop = day && [...day.stops, ...day.left_out].find(({ visit_id }) => visit_id === event.visit_id);
  return html`<li>${EVENTS[event.kind] ?? event.kind}${stop ? html`, <bdi>${stop.name}</bdi>` : nothing}
    <span class="quiet small numbers">${since(event.made_at, ctx.now(), ctx.document.rep.timezone)}</span></li>`;
};

export function view(ctx) {
  measure(ctx);
  const { sync, document } = ctx;
  const { state } = sync;
  const waiting = sync.rows.filter((row) => !row.answer && !row.refused);
  const things = [...state.conflicts.map((found) => conflict(ctx, found)), ...state.refused.map((event) => refused(ctx, event))];
  return html`<h1 class="view-title">Me<span class="view-date"><bdi>${document.user.name}</bdi></span></h1>
    ${document.user.name !== document.rep.name ? html`<p class="quiet">The days of <bdi>${document.rep.name}</bdi></p>` : nothing}
    ${ctx.several ? html`<p class="acts-quiet"><button type="button" class="button" @click=${() => ctx.chooseRep()}>Another rep’s days</button></p>` : nothing}
    ${things.length ? html`<section aria-labelledby="things"><h2 id="things">To look at</h2><ul class="plain">${things}</ul></section>` : nothing}
    <section aria-labelledby="sending"><h2 id="sending">On this phone</h2>
      <dl class="facts card">
        <div><dt>Last updated</dt><dd>${state.updatedAt ? since(state.updatedAt, ctx.now(), document.rep.timezone) : "never"}${state.online ? nothing : html` <span class="tag tag-warn">offline</span>`}</dd></div>
        <div><dt>Not sent yet</dt><dd>${waiting.length ? count(waiting.length, "thing") : "nothing"}
          ${waiting.length ? html`<ul class="plain">${waiting.map((row) => waitingLine(ctx, row))}</ul>` : nothing}</dd></div>
        <div><dt>Space taken</dt><dd>${storage?.usage != null ? megabytes(storage.usage) : "not known"}</dd></div>
      </dl>
      <p class="acts-quiet"><button type="button" class="button" ?disabled=${state.sending} @click=${() => sync.now()}>${state.sending ? "Sending…" : "Update now"}</button></p></section>
    <section aria-labelledby="navigate-with"><fieldset class="choice choice-4"><legend id="navigate-with">Navigate with</legend>
      <div class="choice-row">${Object.entries(NAVIGATION_APPS).map(([name, said]) => html`<label class="pick"><input type="radio" name="app"
        .checked=${navigationApp() === name} @change=${() => { chooseNavigationApp(name); ctx.refresh(); }} /><span>${said}</span></label>`)}</div></fieldset></section>
    <section aria-labelledby="about-me"><h2 id="about-me">About me</h2>
      <ul class="plain links card">
        <li><a href="/account/my-data">What is stored about me${icon("next")}</a></li>
        <li><a href="/account">My calendar feed, password and second factor${icon("next")}</a></li>
        <li><a href="/">The whole site${icon("next")}</a></li>
      </ul>
      <p class="quiet small">Your position is asked for when you tap “I am here”, and at no other time.</p>
      <p class="acts-quiet"><button type="button" class="button button-warn" @click=${() => ctx.logOut()}>Log out</button></p>
      ${waiting.length || ctx.unfinished.length ? html`<p class="quiet small">What is not sent yet stays on this phone until you log in again.</p>` : nothing}</section>`;
}
