// The day has slipped: say what, see what would come of it, accept. Without a signal what is said is kept, and checked later.

import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import Sortable from "sortablejs";
import { Offline } from "field/api.js";
import { metres } from "field/overlay.js";
import {
  callsToMake, endOf, hasMended, icon, isHere, isOver, leaveBy, mendLink, openStops, span, startOf, stopHash, tags, unseen,
} from "field/views/parts.js";
import { clock, count, daysBetween, distance, duration, momentAt, nearDay, shortDay, told } from "field/views/words.js";

const DEBOUNCE_MS = 250;
const LATE = [10, 15, 25, 40];
const MOST_LATE = 12 * 60;
const SHOWN_CUSTOMERS = 30;
const UNSAID_MS = 60 * 60_000; // so long after its time a first visit has been made, though nobody has said so: as the server has it

const TITLES = {
  late: "Running late", cancelled: "Customer cancelled", skipped: "Skip a stop", added: "Add a stop", order: "Another order",
  mend: "Mend the day", finish: "Finish by …", sick: "I am sick", restored: "Do it after all", well: "I can work after all",
};

/** What is being asked about: `key` says which sheet; `wish` as the server knows it; `preview` its answer. */
let sheet = null;

function open(key) {
  sheet = { key, wish: null, preview: null, asking: false, offline: false, loggedOut: false, problem: "", search: "", nearest: false, order: null, number: 0 };
}

// --- asking -----------------------------------------------------------------------------------------------------------

/** Ask what would come of a wish, a moment after the last change of it. */
function wishFor(ctx, wish, wait = 0) {
  clearTimeout(sheet.timer);
  Object.assign(sheet, { wish, asking: true, problem: "", number: sheet.number + 1 });
  const mine = sheet;
  const { number } = sheet;
  sheet.timer = setTimeout(async () => {
    const found = { asking: false, offline: false, loggedOut: false, preview: null };
    try {
      const { kind, order, ...rest } = wish;
      found.preview = await ctx.api.repair(ctx.document.rep.id, ctx.day.date, { kind, ...rest, ...(order ? { order: JSON.stringify(order) } : {}) });
    } catch (error) {
      if (error instanceof Offline) found.offline = true;
      else if (error.status === 401) found.loggedOut = true;
      else found.problem = error.message;
    }
    // Another wish may have been made, or the sheet left, while the server thought.
    if (sheet !== mine || sheet.number !== number) return;
    Object.assign(sheet, found);
    ctx.refresh();
  }, wait);
  ctx.refresh();
}

/** The visit that the rep is at or has made last; empty for none. */
function lastPlace(day) {
  const here = day.stops.find(isHere);
  return here ?? day.stops.filter(isOver).at(-1) ?? null;
}

/** Where somebody is late from: of whom nothing is known, from home, and later from where they should be. */
function lateFrom(ctx) {
  const { stops } = ctx.day;
  const unsaid = stops.length && ctx.now() - new Date(stops[0].begin) > UNSAID_MS;
  return lastPlace(ctx.day) ?? (unsaid ? stops.filter((stop) => new Date(stop.arrive) <= ctx.now()).at(-1) : null);
}

/** What is wished, said without knowing what would come of it. */
function bare(ctx, { kind, visit_id = "", minutes, leave_at, after: from, finish_by, order }) {
  const { day } = ctx;
  const last = kind === "late" ? lateFrom(ctx) : lastPlace(day);
  const after = last?.visit_id ?? "";
  const next = openStops(day).find((stop) => stop !== last);
  const said = (body) => [{ kind, day: day.date, visit_id, body, base: day.revision }];
  switch (kind) {
    case "late": {
      if (leave_at) return said({ after: from, leave_at });
      const planned = last ? new Date(last.leave) : next ? leaveBy(next) : ctx.now();
      // Nobody leaves home before now; elsewhere not in the past.
      const leave = last ? Math.max(planned.getTime() + minutes * 60_000, ctx.now().getTime()) : Math.max(planned.getTime(), ctx.now().getTime()) + minutes * 60_000;
      return said({ after, leave_at: new Date(leave).toISOString() });
    }
    case "finish":
      return said({ by: finish_by ?? null });
    case "order":
      return said({ after, order });
    case "sick":
      return said({ sick: true });
    case "cancelled":
    case "skipped":
      return said({ why: "" });
    default:
      return said({});
  }
}

/** Nothing but what stands already: the day is as good as it gets. */
const saysNothing = ({ wish, preview }) => wish.leave_at && preview.statements.every(({ kind }) => kind === "late");

function wished(ctx) {
  const { wish, preview } = sheet;
  return preview
    ? preview.statements.map(({ kind, visit_id, body }) => ({ kind, day: ctx.day.date, visit_id, body, base: preview.base }))
    : bare(ctx, wish);
}

async function accept(ctx) {
  if (!sheet.preview || !saysNothing(sheet)) return finish(ctx, wished(ctx));
  hasMended(ctx.day, sheet.wish.leave_at);
  return finish(ctx, []);
}

async function finish(ctx, events) {
  for (const { kind, body } of events) if (kind === "late" && sheet.preview) hasMended(ctx.day, body.leave_at);
  if (events.length) await ctx.sync.enqueue(events);
  sheet = null;
  ctx.go(ctx.day.date === ctx.document.today ? "#/today" : `#/day/${ctx.day.date}`);
}

// --- before and after -------------------------------------------------------------------------------------------------

const signed = (seconds, good, bad) =>
  Math.abs(seconds) < 30 ? nothing : html`<span class="won ${seconds > 0 ? "is-won" : "is-lost"}">${duration(Math.abs(seconds))} ${seconds > 0 ? good : bad}</span>`;

function comparison(ctx) {
  const { before, after, left_out } = sheet.preview;
  const zone = ctx.document.rep.timezone;
  const was = new Map((before?.stops ?? []).map((stop, index) => [stop.visit_id, { ...stop, index }]));
  const over = new Set(ctx.day.stops.filter(isOver).map(({ visit_id }) => visit_id));
  const rest = (after?.stops ?? []).filter(({ visit_id }) => !over.has(visit_id));
  const line = (stop) => {
    const old = was.get(stop.visit_id);
    const changed = old && clock(old.begin, zone) !== clock(stop.begin, zone);
    return html`<li class="compared-line"><span class="line-time numbers">${clock(stop.begin, zone)}</span>
      <span class="line-text"><bdi>${stop.name}</bdi>
        ${!old ? html` <span class="tag">new</span>` : changed ? html` <span class="quiet small">was <s class="numbers">${clock(old.begin, zone)}</s></span>` : nothing}</span></li>`;
  };
  const [homeWas, home] = [before?.end.time, after?.end.time];
  const tooLate = sheet.preview.broken.some(({ rule }) => rule === HOME_LATE);
  return html`<ol class="plain compared">
    ${rest.map(line)}
    ${home ? html`<li class="compared-line"><span class="line-time numbers">${clock(home, zone)}</span><span class="line-text">${ctx.day.end?.hotel ? html`${icon("hotel")} At the hotel` : html`${icon("home")} Home`}${
      homeWas && clock(homeWas, zone) !== clock(home, zone) ? html` <span class="quiet small">was <s class="numbers">${clock(homeWas, zone)}</s></span>` : nothing}${
      tooLate ? html` <span class="tag tag-warn">after ${clock(ctx.day.progress.finish_by ?? ctx.day.work_end, zone)}</span>` : nothing}</span></li>` : nothing}
    ${left_out.map((visit) => html`<li class="compared-line is-out"><span class="line-time">${was.has(visit.visit_id) ? html`<s class="numbers">${clock(was.get(visit.visit_id).begin, zone)}</s>` : nothing}</span>
      <span class="line-text"><s><bdi>${visit.name}</bdi></s> <span class="small">left out: <bdi>${visit.why}</bdi></span></span></li>`)}
  </ol>`;
}

const doneBy = (day) => (day.end?.hotel ? "At the hotel by" : "Home by");

const HOME_LATE = "shift_is_kept"; // the line of the way home says it

/** The rules that nothing else on the page tells of. */
function unsaid({ broken, to_call }) {
  const called = new Set(to_call.map(({ visit_id }) => visit_id));
  return broken.filter(({ rule, visit_id }) => rule !== HOME_LATE && !(visit_id && called.has(visit_id)));
}

const calls = (preview) =>
  preview.to_call.map(({ name, why, contact, phone }) => ({ name, why: told(why), contact: { name: contact, phone } }));

/** What is wished, in a few words: all that comes of it stands below. */
function saying(ctx) {
  const { wish, preview } = sheet;
  const zone = ctx.document.rep.timezone;
  if (preview && !preview.statements.length) return preview.sentence;
  const said = wished(ctx);
  const { kind, visit_id, body } = said.find((one) => one.kind === wish.kind) ?? said[0];
  const named = (id) => [...ctx.day.stops, ...ctx.day.left_out, ...ctx.document.customers].find((one) => one.visit_id === id)?.name ?? "";
  switch (kind) {
    case "late":
      if (preview && saysNothing(sheet)) return "Nothing better was found: the day stays as it is.";
      return `Leaving ${named(body.after) || (body.after ? "there" : startOf(ctx.day))} at ${clock(body.leave_at, zone)}`;
    case "finish":
      return body.by ? `${doneBy(ctx.day)} ${clock(body.by, zone)}` : "Working until the usual end";
    case "sick":
      return "Nothing more is done on this day";
    case "order":
      return "In this order";
    case "added":
    case "restored": {
      const begin = preview?.after?.stops.find((stop) => stop.visit_id === visit_id)?.begin;
      return begin ? `${named(visit_id)} at ${clock(begin, zone)}` : `With ${named(visit_id)}`;
    }
    default:
      return `Without ${named(visit_id)}`;
  }
}

/** Whether an order can be driven, where the thumb is: the reasons may lie below. */
function verdict(ctx) {
  const { broken, after } = sheet.preview;
  return broken.length
    ? html`<p class="field-wrong">It does not fit: ${count(broken.length, "problem")}</p>`
    : html`<p class="is-won">It fits${after?.end.time ? `, ${endOf(ctx.day)} at ${clock(after.end.time, ctx.document.rep.timezone)}` : ""}</p>`;
}

const unknown = (ctx, { loggedOut }) => html`<p class="preview-said"><bdi>${saying(ctx)}</bdi></p>
  ${loggedOut
    ? html`<p class="note"><a href=${ctx.login()}>Log in to see what would come of it</a>. What you say is kept on the phone until then.</p>`
    : html`<p class="note">No signal. What you say is kept on the phone; what it does to the day will be checked when there is signal.</p>`}`;

function answer(ctx) {
  const { preview, asking, offline, loggedOut, problem, wish } = sheet;
  if (!wish) return nothing;
  const kept = offline || loggedOut;
  const rules = preview ? unsaid(preview) : [];
  const body = problem
    ? html`<p class="note">${problem}</p>`
    : kept
      ? unknown(ctx, sheet)
      : preview
        ? html`<p class="preview-won"><strong class="preview-said"><bdi>${saying(ctx)}</bdi></strong>
              ${signed(preview.drive_s_won, "less driving", "more driving")} ${signed(preview.home_s_won, `earlier ${endOf(ctx.day)}`, `later ${endOf(ctx.day)}`)}</p>
            ${callsToMake(calls(preview))}
            ${comparison(ctx)}
            ${rules.length ? html`<ul class="plain broken">${rules.map(({ message }) => html`<li class="note"><bdi>${message}</bdi></li>`)}</ul>` : nothing}`
        : html`<p class="quiet">Looking at the day …</p>`;
  const ready = !asking && (kept || (preview && !problem));
  const leave = preview && (!preview.statements.length || saysNothing(sheet));
  return html`<section class="preview ${asking && preview ? "is-old" : ""}" aria-live="polite" aria-busy=${asking} aria-label="What would come of it">${body}</section>
    <div class="send-bar">${preview && wish.kind === "order" ? verdict(ctx) : nothing}<button type="button" class="button button-main button-big" ?disabled=${!ready} @click=${() => accept(ctx)}
      >${kept ? "Keep it" : leave ? "Leave it so" : preview?.broken.length ? "Accept all the same" : "Accept"}</button></div>`;
}

// --- the sheets -------------------------------------------------------------------------------------------------------

const choose = (pressed, label, wish) =>
  html`<button type="button" class="chip chip-big" aria-pressed=${pressed} @click=${wish}>${label}</button>`;

function lateSheet(ctx) {
  const minutes = sheet.wish?.minutes;
  const late = (number) => wishFor(ctx, { kind: "late", minutes: number });
  const other = (typed) => {
    const number = Number(typed);
    if (Number.isInteger(number) && number > 0 && number <= MOST_LATE) wishFor(ctx, { kind: "late", minutes: number }, DEBOUNCE_MS);
  };
  return html`<p class="quiet small">Minutes later than the day says</p>
    <div class="chips late-chips">${LATE.map((number) => choose(minutes === number, html`+${number}${unseen(" min")}`, () => late(number)))}
      <label class="unseen" for="late-minutes">Other, in minutes</label>
      <input id="late-minutes" type="text" inputmode="numeric" autocomplete="off" placeholder="Other" .value=${live(minutes && !LATE.includes(minutes) ? String(minutes) : sheet.typed ?? "")}
        @input=${(event) => { sheet.typed = event.target.value; other(event.target.value); }} /></div>`;
}

/** One is chosen, and what would come of it stands right below: the others are a tap away. */
const another = (ctx) => html`<p class="acts-quiet"><button type="button" class="button" @click=${() => {
  clearTimeout(sheet.timer);
  Object.assign(sheet, { wish: null, preview: null, asking: false, problem: "", number: sheet.number + 1 });
  ctx.refresh();
}}>Choose another</button></p>`;

function stopSheet(ctx, kind) {
  const zone = ctx.document.rep.timezone;
  const open_ = openStops(ctx.day).filter((stop) => !isHere(stop));
  if (!open_.length) return html`<p class="empty">No stop is left.</p>`;
  const chosen = open_.filter((stop) => stop.visit_id === sheet.wish?.visit_id);
  return html`${chosen.length ? another(ctx) : nothing}<ul class="plain choices">${(chosen.length ? chosen : open_).map((stop) => html`<li><button type="button" class="choice-line" aria-pressed=${sheet.wish?.visit_id === stop.visit_id}
    @click=${() => wishFor(ctx, { kind, visit_id: stop.visit_id })}><span class="line-time numbers">${clock(stop.begin, zone)}</span>
      <span class="line-text"><strong><bdi>${stop.name}</bdi></strong>${stop.promise ? tags(stop, zone) : nothing}</span></button></li>`)}</ul>`;
}

const plainly = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function dueWords(customer, today) {
  if (!customer.due_on) return "";
  const days = daysBetween(customer.due_on, today);
  return days > 0 ? `${count(days, "day")} overdue` : days === 0 ? "due today" : `due ${shortDay(customer.due_on)}`;
}

function addSheet(ctx) {
  const { customers, today } = ctx.document;
  const taken = new Set(ctx.day.stops.map(({ visit_id }) => visit_id));
  const from = lastPlace(ctx.day) ?? (ctx.day.start?.lat != null ? ctx.day.start : null);
  const words = plainly(sheet.search).split(/\s+/).filter(Boolean);
  const found = customers
    .filter(({ visit_id }) => !taken.has(visit_id))
    .filter(({ name, address }) => words.every((word) => plainly(`${name} ${address}`).includes(word)))
    .map((customer) => ({ ...customer, metres: from ? metres(from, customer) : null }));
  if (sheet.nearest) found.sort((one, other) => one.metres - other.metres);
  const chosen = found.filter(({ visit_id }) => visit_id === sheet.wish?.visit_id);
  const say = (customer) => [dueWords(customer, today), customer.metres != null ? `${distance(customer.metres)} away` : "", `${customer.minutes} min`].filter(Boolean).join(" · ");
  const line = (customer) => html`<li><button type="button" class="choice-line" aria-pressed=${chosen.includes(customer)}
    @click=${() => wishFor(ctx, { kind: "added", visit_id: customer.visit_id })}><span class="line-text"><strong><bdi>${customer.name}</bdi></strong>
      <span class="quiet small"><bdi>${customer.address}</bdi></span><span class="quiet small numbers">${say(customer)}</span></span></button></li>`;
  if (chosen.length) return html`${another(ctx)}<ul class="plain choices">${chosen.map(line)}</ul>`;
  return html`<div class="field"><label for="add-search">Customer</label>
      <input id="add-search" type="search" autocomplete="off" enterkeyhint="search" placeholder="Name or street" .value=${live(sheet.search)}
        @input=${(event) => { sheet.search = event.target.value; ctx.refresh(); }} /></div>
    ${from ? html`<div class="chips">${choose(!sheet.nearest, "Most pressing", () => { sheet.nearest = false; ctx.refresh(); })}
      ${choose(sheet.nearest, "Nearest", () => { sheet.nearest = true; ctx.refresh(); })}</div>` : nothing}
    <p class="quiet small" role="status">${found.length > SHOWN_CUSTOMERS ? `${found.length} customers; the first ${SHOWN_CUSTOMERS} are shown` : count(found.length, "customer")}</p>
    <ul class="plain choices">${found.slice(0, SHOWN_CUSTOMERS).map(line)}</ul>`;
}

// --- the rep's own order ----------------------------------------------------------------------------------------------

function move(ctx, from, to, focus) {
  const order = [...sheet.order];
  if (to < 0 || to >= order.length) return;
  order.splice(to, 0, ...order.splice(from, 1));
  sheet.order = order;
  wishFor(ctx, { kind: "order", order }, DEBOUNCE_MS);
  if (!focus) return;
  const row = document.querySelectorAll(".reorder > li")[to];
  const [wanted, other] = row.querySelectorAll(focus === "up" ? ".move-up, .move-down" : ".move-down, .move-up");
  const first = focus === "up" ? wanted : row.querySelector(".move-down");
  (first.disabled ? row.querySelector("button:not(:disabled)") : first ?? other)?.focus();
}

/** Dragging moves a row; the row is put back before the list is drawn anew, as the drawing knows nothing of it. */
function wireDragging(ctx) {
  const list = document.querySelector(".reorder");
  if (!list || Sortable.get(list)) return;
  let beside = null;
  Sortable.create(list, {
    handle: ".move-handle",
    draggable: "li",
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
    onStart: ({ item }) => { beside = item.nextSibling; },
    onEnd: ({ item, oldDraggableIndex, newDraggableIndex }) => {
      list.insertBefore(item, beside);
      if (oldDraggableIndex !== newDraggableIndex) list.dispatchEvent(new CustomEvent("moved", { detail: [oldDraggableIndex, newDraggableIndex] }));
    },
  });
}

function orderSheet(ctx) {
  const zone = ctx.document.rep.timezone;
  const open_ = openStops(ctx.day).filter((stop) => !isHere(stop));
  const known = new Map(open_.map((stop) => [stop.visit_id, stop]));
  if (!sheet.order || sheet.order.some((id) => !known.has(id)) || sheet.order.length !== known.size) sheet.order = [...known.keys()];
  if (sheet.order.length < 2) return html`<p class="empty">There is nothing to put in another order.</p>`;
  const times = new Map((sheet.preview?.after?.stops ?? []).map((stop) => [stop.visit_id, stop.begin]));
  queueMicrotask(() => wireDragging(ctx));
  const last = sheet.order.length - 1;
  return html`<p class="quiet small" id="reorder-how">Drag by the handle, or move with the arrows.</p>
    <ol class="plain reorder" aria-describedby="reorder-how" @moved=${(event) => move(ctx, ...event.detail)}>
      ${sheet.order.map((id, index) => {
        const stop = known.get(id);
        return html`<li data-visit=${id}><span class="move-handle" aria-hidden="true">${icon("handle")}</span>
          <span class="line-text"><strong><bdi>${stop.name}</bdi></strong>
            <span class="quiet small numbers">${clock(times.get(id) ?? stop.begin, zone)}${stop.promise ? html` <span class="promise">Promise ${span(stop.promise.start, stop.promise.end, zone)}</span>` : nothing}</span></span>
          <button type="button" class="move move-up" ?disabled=${index === 0} @click=${() => move(ctx, index, index - 1, "up")}>${icon("up")}${unseen(`Move ${stop.name} up`)}</button>
          <button type="button" class="move move-down" ?disabled=${index === last} @click=${() => move(ctx, index, index + 1, "down")}>${icon("down")}${unseen(`Move ${stop.name} down`)}</button></li>`;
      })}</ol>
    ${ctx.day.progress.order.length ? html`<p class="acts-quiet"><button type="button" class="button" @click=${() => finish(ctx, bare(ctx, { kind: "order", order: [] }))}>As planned again</button></p>` : nothing}`;
}

// --- home early, or not at all ----------------------------------------------------------------------------------------

function finishSheet(ctx) {
  const { day } = ctx;
  const zone = ctx.document.rep.timezone;
  const chosen = sheet.wish?.finish_by;
  const by = (time) => time && wishFor(ctx, { kind: "finish", finish_by: momentAt(day.date, time, zone) });
  const end = Number(clock(day.work_end, zone).slice(0, 2)) || 17;
  const times = [3, 2, 1, 0].map((hours) => `${String(end - hours).padStart(2, "0")}:00`)
    .filter((time) => new Date(momentAt(day.date, time, zone)) > ctx.now());
  return html`<div class="chips">${times.map((time) => choose(chosen && clock(chosen, zone) === time, html`<span class="numbers">${time}</span>`, () => by(time)))}</div>
    <div class="field field-short"><label for="finish-by">${doneBy(day)}</label>
      <input id="finish-by" type="time" .value=${live(chosen ? clock(chosen, zone) : "")} @change=${(event) => by(event.target.value)} /></div>
    ${day.progress.finish_by ? html`<p class="acts-quiet">You want to be ${endOf(day)} by ${clock(day.progress.finish_by, zone)}.
      <button type="button" class="button" @click=${() => finish(ctx, bare(ctx, { kind: "finish" }))}>Take that back</button></p>` : nothing}`;
}

/** Sheets that ask nothing more: the wish is there as they open. */
function plainSheet(ctx, said, wish) {
  if (!sheet.wish) queueMicrotask(() => sheet && !sheet.wish && wishFor(ctx, wish));
  return html`<p>${said}</p>`;
}

/** What was said without a signal stands: what can be made of the day from then on? */
function mendSheet(ctx) {
  const { leave_at, after } = ctx.day.progress;
  if (!leave_at) return html`<p class="empty">Nobody is late on this day.</p>`;
  return plainSheet(ctx, "You have said that you are late. This is how the day can be mended:", { kind: "late", leave_at, after });
}

function wellSheet(ctx) {
  return html`<p>What was left of the day is there again.</p>
    <p class="acts"><button type="button" class="button button-main button-big"
      @click=${() => finish(ctx, [{ kind: "sick", day: ctx.day.date, body: { sick: false }, base: ctx.day.revision }])}>I can work after all</button></p>`;
}

function aboutOne(ctx, kind) {
  const { stop } = ctx;
  if (!stop) return kind === "restored" ? html`<p class="empty">No such stop.</p>` : stopSheet(ctx, kind);
  const said = { cancelled: "has cancelled.", skipped: "is not visited on this day.", restored: "is visited after all.", added: "is visited too." }[kind];
  return plainSheet(ctx, html`<strong><bdi>${stop.name}</bdi></strong> ${said}`, { kind, visit_id: stop.visit_id });
}

const SHEETS = {
  late: lateSheet,
  cancelled: (ctx) => aboutOne(ctx, "cancelled"),
  skipped: (ctx) => aboutOne(ctx, "skipped"),
  restored: (ctx) => aboutOne(ctx, "restored"),
  added: addSheet,
  order: orderSheet,
  mend: mendSheet,
  finish: finishSheet,
  sick: (ctx) => plainSheet(ctx, "Nothing more is done on this day. These would be left out:", { kind: "sick" }),
  well: wellSheet,
};

function menu(ctx) {
  const { day } = ctx;
  const offered = day.progress.sick ? ["well"] : ["late", "cancelled", "skipped", "added", "order", "finish", "sick"];
  const hint = {
    late: "10, 15, 25, 40 minutes or more", cancelled: "The customer called it off", skipped: "You leave it out", added: "A customer who is due or near",
    order: "Drag the stops", finish: "Be home at a time of your own", sick: "Nothing more is done",
  };
  return html`${mendLink(day)}<ul class="plain menu-list card">${offered.map((kind) => html`<li><a href=${`#/change/${day.date}/${kind}`}>
    <span class="line-text"><strong>${TITLES[kind]}</strong><span class="quiet small">${hint[kind]}</span></span>${icon("next")}</a></li>`)}</ul>`;
}

export function view(ctx) {
  const { day } = ctx;
  const { kind } = ctx.route;
  if (!day) return html`<h1>No such day</h1><p><a href="#/today">Back to today</a></p>`;
  const back = day.date === ctx.document.today ? "#/today" : `#/day/${day.date}`;
  const crumb = (href, text) => html`<p class="crumb"><a href=${href}>${icon("back")}${text}</a></p>`;
  const near = nearDay(day.date, ctx.document.today);
  if (!SHEETS[kind]) {
    sheet = null;
    return html`${crumb(back, near)}<h1 class="view-title">Change the day<span class="view-date">${shortDay(day.date)}</span></h1>${menu(ctx)}`;
  }
  const key = [day.date, kind, ctx.stop?.visit_id ?? ""].join("|");
  if (sheet?.key !== key) open(key);
  return html`${ctx.stop ? crumb(stopHash(day, ctx.stop), html`<span class="clip"><bdi>${ctx.stop.name}</bdi></span>`) : crumb(`#/change/${day.date}`, "Change the day")}
    <h1 class="view-title">${TITLES[kind]}<span class="view-date">${near === shortDay(day.date) ? near : `${near}, ${shortDay(day.date)}`}</span></h1>
    ${SHEETS[kind](ctx)}${answer(ctx)}`;
}
