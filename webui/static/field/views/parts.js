// Pieces that several views show: icons, ways to a customer, lines of a day.

import { html, nothing, svg } from "lit-html";
import { isOver } from "field/overlay.js";
import { clock, DISPOSITIONS, distance, duration, KINDS, VERDICTS } from "field/views/words.js";

export { isOver };

const SHAPES = {
  go: svg`<path d="M12 2 4.5 20.3l.7.7L12 18l6.8 3 .7-.7z"/>`,
  call: svg`<path d="M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.57 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.57a1 1 0 0 1-.25 1z"/>`,
  mail: svg`<path d="M20 4H4a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2V6a2 2 0 0 0-2-2m0 4-8 5-8-5V6l8 5 8-5z"/>`,
  here: svg`<path d="M12 2a7 7 0 0 0-7 7c0 5.25 7 13 7 13s7-7.75 7-13a7 7 0 0 0-7-7m0 9.5a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5"/>`,
  report: svg`<path d="M3 17.25V21h3.75L17.8 9.94l-3.75-3.75zM20.7 7.04a1 1 0 0 0 0-1.41l-2.34-2.34a1 1 0 0 0-1.41 0l-1.83 1.83 3.75 3.75z"/>`,
  change: svg`<path d="M6.99 11 3 15l3.99 4v-3H14v-2H6.99zM21 9l-3.99-4v3H10v2h7.01v3z"/>`,
  map: svg`<path d="m20.5 3-.16.03L15 5.1 9 3 3.36 4.9a.5.5 0 0 0-.36.48V20.5a.5.5 0 0 0 .5.5l.16-.03L9 18.9l6 2.1 5.64-1.9a.5.5 0 0 0 .36-.48V3.5a.5.5 0 0 0-.5-.5M15 19l-6-2.11V5l6 2.11z"/>`,
  up: svg`<path d="m7.41 15.41 4.59-4.58 4.59 4.58L18 14l-6-6-6 6z"/>`,
  down: svg`<path d="M7.41 8.59 12 13.17l4.59-4.58L18 10l-6 6-6-6z"/>`,
  handle: svg`<path d="M20 9H4v2h16zM4 15h16v-2H4z"/>`,
  back: svg`<path d="M15.41 16.59 10.83 12l4.58-4.59L14 6l-6 6 6 6z"/>`,
  next: svg`<path d="M8.59 16.59 13.17 12 8.59 7.41 10 6l6 6-6 6z"/>`,
  done: svg`<path d="M9 16.17 4.83 12l-1.42 1.41L9 19 21 7l-1.41-1.41z"/>`,
  hotel: svg`<path d="M7 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6m12-6h-8v7H3V5H1v15h2v-3h18v3h2v-9a4 4 0 0 0-4-4"/>`,
  home: svg`<path d="M10 20v-6h4v6h5v-8h3L12 3 2 12h3v8z"/>`,
};

export const icon = (name) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${SHAPES[name]}</svg>`;

export const unseen = (text) => html`<span class="unseen">${text}</span>`;

export const isHere = (stop) => Boolean(stop.visit?.arrived_at) && !isOver(stop);

/** Where a day starts and where it ends, in words: home, but for nights at a hotel. */
export const startOf = (day) => (day?.start?.hotel ? "the hotel" : "home");
export const endOf = (day) => (day?.end?.hotel ? "at the hotel" : "home");

export const openStops = (day) => day.stops.filter((stop) => !isOver(stop));

/** When to leave for a stop, as a Date. */
export const leaveBy = (stop) => new Date(new Date(stop.arrive) - stop.drive_seconds * 1000);

export const stopHash = (day, stop) => `#/stop/${day.date}/${encodeURIComponent(stop.visit_id)}`;
export const reportHash = (day, stop) => `#/report/${day.date}/${encodeURIComponent(stop.visit_id)}`;
export const changeHash = (day, kind = "", visitId = "") =>
  ["#/change", day.date, kind, encodeURIComponent(visitId)].join("/").replace(/\/+$/, "");

// --- ways to the customer ---------------------------------------------------------------------------------------------

/** Only a number: neither pauses nor codes for the network. */
export const tel = (phone) => `tel:${phone.replace(/[^\d+]/g, "")}`;

const mailto = (address) => `mailto:${encodeURIComponent(address).replaceAll("%40", "@")}`;

const notes = new Map(); // where the browser keeps none: until the app is closed

/** A small thing that this phone remembers, whoever has it; null takes it back. */
export function note(key, value) {
  notes.set(key, value);
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch { /* denied */ }
}

export function noted(key) {
  if (notes.has(key)) return notes.get(key);
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

const APP = "fieldvisit.navigate";

const ofApple = () => /iPhone|iPad|Macintosh/.test(navigator.userAgent);

/** The name of the app that this phone navigates with: the one that was used last. */
export function navigationApp() {
  return noted(APP) ?? (ofApple() ? "Apple Maps" : "Navigate");
}

export const chooseNavigationApp = (name) => note(APP, name);

export const NAVIGATION_APPS = { Navigate: "The phone's own", "Google Maps": "Google Maps", "Apple Maps": "Apple Maps", Waze: "Waze" };

const safe = (url) => /^(geo:|https:\/\/)/.test(url);

/** One tap to be led there by the app that was used last, and the others a tap further. */
export function navigation(stop, refresh) {
  const links = (stop.links ?? []).filter(({ url }) => safe(url));
  if (!links.length) return nothing;
  const first = links.find(({ name }) => name === navigationApp()) ?? links[0];
  const outside = (url) => (url.startsWith("geo:") ? nothing : "_blank");
  return html`<div class="navigate">
    <a class="button button-main button-big navigate-go" href=${first.url} target=${outside(first.url)} rel="noopener noreferrer"
      >${icon("go")}Navigate${unseen(` to ${stop.name}${first.name === "Navigate" ? "" : ` with ${first.name}`}`)}</a>
    <details class="navigate-other"><summary class="button button-big">${icon("down")}${unseen("Other apps to navigate with")}</summary>
      <ul class="plain menu">${links.map(({ name, url }) => html`<li><a href=${url} target=${outside(url)} rel="noopener noreferrer"
        aria-current=${name === first.name ? "true" : nothing}
        @click=${(event) => { chooseNavigationApp(name); event.target.closest("details").open = false; refresh(); }}
        >${NAVIGATION_APPS[name] ?? name}</a></li>`)}</ul>
    </details>
  </div>`;
}

/** Where to sleep, where that is not at home. */
export function night(ctx, day) {
  const { hotel, address, links } = day?.end ?? {};
  if (!hotel) return nothing;
  return html`<section class="card night" aria-label="Where you sleep">
    <p class="night-name">${icon("hotel")}<span>Stay overnight at <strong><bdi>${hotel}</bdi></strong></span></p>
    <p class="address"><bdi>${address}</bdi></p>
    ${navigation({ name: hotel, links }, ctx.refresh)}</section>`;
}

/** An icon where the name of the customer stands above; `worded` where it is the thing to do. */
export const callButton = (contact, name, worded = false) =>
  contact?.phone
    ? html`<a class="button button-big ${worded ? "button-main is-worded" : ""}" href=${tel(contact.phone)}>${icon("call")}${worded ? "Call" : unseen("Call")}${unseen(` ${contact.name || name}`)}</a>`
    : nothing;

export const mailButton = (contact, name) =>
  contact?.email
    ? html`<a class="button button-big" href=${mailto(contact.email)}>${icon("mail")}${unseen(`Mail ${contact.name || name}`)}</a>`
    : nothing;

/** Whom to call, why, and the number itself as the thing to tap. */
export const callLine = ({ name, why, contact }) => html`<li class="to-call">
  <p><strong><bdi>${name}</bdi></strong><br /><span class="small"><bdi>${why}</bdi></span></p>
  ${contact?.phone
    ? html`<a class="button button-big button-main" href=${tel(contact.phone)}>${icon("call")}<span class="to-call-who">${contact.name ? html`<bdi>${contact.name}</bdi> ` : unseen("Call ")}<span class="numbers">${contact.phone}</span></span></a>`
    : html`<p class="quiet small">No phone number is known.</p>`}
</li>`;

const withMap = new Set();

/** A day's map is one tap away, and stays until it is tapped away. */
export const mapButton = (ctx, key) => html`<button type="button" class="button" aria-expanded=${withMap.has(key)}
  @click=${() => { if (!withMap.delete(key)) withMap.add(key); ctx.refresh(); }}>${icon("map")}${withMap.has(key) ? "Hide map" : "Map"}</button>`;

export const mapOf = (ctx, key, day, stop = null) => (withMap.has(key) ? html`<div class="field-map">${ctx.map(day, stop)}</div>` : nothing);

/** The customers whose promise cannot be kept, first of all things. */
export const callsToMake = (calls) =>
  calls.length
    ? html`<section class="alarm" aria-labelledby="to-call"><h2 id="to-call">${calls.length === 1 ? "Call this customer" : "Call these customers"}</h2>
        <ul class="plain">${calls.map(callLine)}</ul></section>`
    : nothing;

const MENDED = "fieldvisit.mended";

const lateness = (day, leaveAt) => `${day.date} ${Math.floor(Date.parse(leaveAt) / 1000)}`;

/** Somebody has looked at what can be made of the day from when they can leave: it is not offered again. */
export const hasMended = (day, leaveAt) => note(MENDED, lateness(day, leaveAt));

/**
 * Whether a day for which somebody is late, as the server knows, could do with a look at how it is mended: it was said
 * without a signal, or has never been asked about.
 */
export function canBeMended(day) {
  const { leave_at, after, sick } = day.progress ?? {};
  if (!leave_at || sick || day.pending || noted(MENDED) === lateness(day, leave_at) || !openStops(day).length) return false;
  const last = day.stops.find(isHere) ?? day.stops.filter(isOver).at(-1);
  if ((last?.visit_id ?? "") !== after) return false; // the rep is further by now
  return callsOf(day).length > 0 || (Boolean(day.end?.time) && new Date(day.end.time) > new Date(day.work_end));
}

/** Before anybody is called: perhaps nobody has to be. */
export const mendLink = (day) =>
  canBeMended(day)
    ? html`<p class="acts mend"><a class="button button-big button-main" href=${changeHash(day, "mend")}>${icon("change")}See how the day can be mended</a></p>`
    : nothing;

/** 'Arrive 19:07, begins 19:12'; the lists have the latter. */
export function arriving(stop, zone) {
  const [arrive, begin] = [clock(stop.arrive, zone), clock(stop.begin, zone)];
  return html`<span class="numbers">Arrive ${arrive}${begin && begin !== arrive ? `, begins ${begin}` : ""}</span>`;
}

export const callsOf = (day) =>
  [...day.stops, ...day.left_out]
    .filter((stop) => stop.promise?.call)
    .map((stop) => ({ name: stop.name, why: stop.promise.call, contact: stop.contact }));

// --- a stop in a few words --------------------------------------------------------------------------------------------

/** '11:00–12:00', or '14:00' for one moment. */
export const span = (start, end, zone) =>
  html`<span class="numbers">${clock(start, zone)}${start === end ? nothing : `–${clock(end, zone)}`}</span>`;

const MEANINGS = { arrive: "Promised, at the door within", whole: "Promised, the whole visit within", begin: "Agreed, to begin at" };

/** 'Promised, at the door within 11:00–12:00'. */
export const promiseLine = (promise, zone) =>
  html`<p class="promise-line">${MEANINGS[promise.meaning]} ${span(promise.start, promise.end, zone)}</p>`;

/** `short`: without the promise and the check-in, where lines of their own say them. */
export function tags(stop, zone, { short = false } = {}) {
  return html`<p class="tags">
    ${stop.promise && !short ? html`<span class="promise">Promise ${span(stop.promise.start, stop.promise.end, zone)}</span>` : nothing}
    ${(stop.promise && stop.kind === "appointment") || stop.kind === "due" ? nothing : html`<span class="tag kind-${stop.kind}">${KINDS[stop.kind] ?? stop.kind}</span>`}
    ${stop.promise?.call ? html`<span class="tag tag-warn">Call them</span>` : nothing}
    ${stop.late ? html`<span class="tag tag-warn">Late</span>` : nothing}
    ${short && isHere(stop) ? waitingTag(stop) : stateTag(stop)}
  </p>`;
}

const waitingTag = (stop) => (stop.pending ? html`<span class="tag tag-quiet">Not sent yet</span>` : nothing);

/** What has come of it, and whether the server knows. */
function stateTag(stop) {
  const { visit } = stop;
  const waiting = waitingTag(stop);
  if (!visit) return waiting;
  if (visit.disposition) return html`<span class="tag tag-good">${DISPOSITIONS[visit.disposition]}</span>${waiting}`;
  if (visit.left_at) return html`<span class="tag tag-quiet">Left without a report</span>${waiting}`;
  if (visit.arrived_at) return html`<span class="tag">You are here</span>${waiting}`;
  return waiting;
}

/** What came of the position; before the server has said it, whether there is one. */
export const verdict = (visit) =>
  visit.verdict ? VERDICTS[visit.verdict] : visit.placed === false ? "No position: will be marked as unverified" : "Position noted";

const drive = (seconds, metres) =>
  seconds ? html`<li class="drive">${duration(seconds)} · ${distance(metres)}</li>` : nothing;

export const pauseLine = (day, zone) =>
  html`<li class="line-break"><span class="line-time numbers">${clock(day.break.start, zone)}</span><span>Break until ${clock(day.break.end, zone)}</span></li>`;

/** One stop as a line that opens it. */
export const stopLine = (day, stop, zone) => html`<li class="line" data-visit=${stop.visit_id}>
  <a class="line-link" href=${stopHash(day, stop)}>
    <span class="line-time numbers">${clock(stop.visit?.arrived_at ?? stop.begin, zone)}</span>
    <span class="line-text"><strong><bdi>${stop.name}</bdi></strong>
      <span class="quiet small line-address"><bdi>${stop.address}</bdi></span>
      ${tags(stop, zone)}</span>
    ${icon("next")}
  </a></li>`;

/** Whether the break is still to come, and before this stop. */
export const pausesBefore = (day, stop, now) =>
  Boolean(day.break) && !isHere(stop) && !isOver(stop) && new Date(stop.begin) >= new Date(day.break.start) && new Date(day.break.end) > now;

/**
 * Stops in their order with the drives and the break between them; and the way home where that is still to come.
 * `from` is now, where what is over is left away, and `shown` the stop that is shown before these.
 */
export function lines(day, stops, zone, { home = true, from = null, shown = null } = {}) {
  const before = shown && day.break && new Date(shown.begin) >= new Date(day.break.start);
  const rest = day.break && !before && (!from || new Date(day.break.end) > from) ? day.break : null;
  const at = rest ? stops.findIndex((stop) => new Date(stop.begin) >= new Date(rest.start)) : -1;
  const after = rest && at < 0 && !(day.end?.time && new Date(rest.start) >= new Date(day.end.time));
  return html`<ol class="plain lines">
    ${stops.map((stop, index) => html`${index === at ? pauseLine(day, zone) : nothing}${drive(stop.drive_seconds, stop.drive_metres)}${stopLine(day, stop, zone)}`)}
    ${after ? pauseLine(day, zone) : nothing}
    ${home && day.end
      ? html`${drive(day.return_drive_seconds, day.return_drive_metres)}
          <li class="line-home"><span class="line-time numbers">${clock(day.end.time, zone)}</span><span>${day.end.hotel
            ? html`${icon("hotel")} <span>Stay overnight at <bdi>${day.end.hotel}</bdi></span>`
            : html`${icon("home")} Home`}${unseen(`, ${day.end.address}`)}</span></li>`
      : nothing}
  </ol>`;
}
