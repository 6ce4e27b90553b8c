// The visit report: how it went, what the template asks, send. What is typed is kept on the phone from the first letter.

import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { say } from "field/views/acts.js";
import { icon, isHere, openStops, stopHash } from "field/views/parts.js";
import {
  addDays, addMonth, amount, DEALS, DISPOSITIONS, money, NOT_KEPT, notKept, SEVERITIES, shortDay,
} from "field/views/words.js";

const FIELDS = ["deal", "reason", "next_step", "next_step_on", "competitor", "concern", "severity", "text", "order_value"];
const LABELS = {
  deal: "The opportunity", next_step: "Next step", next_step_on: "When", competitor: "Competitors there",
  concern: "What worries them", severity: "How serious", reason: "Why", text: "What was learned", order_value: "Order value",
};
const LONGEST = { next_step: 2000, competitor: 2000, concern: 2000, reason: 2000, text: 10_000 };
const NEXT_STEPS = ["Visit again", "Call", "Make an offer"];
/** What is no question where the visit went like this, unless a template is made for just that. */
const UNASKED = {
  met: [],
  not_in: ["deal", "competitor", "concern", "severity", "reason", "order_value"],
  rescheduled: ["deal", "reason", "order_value"],
  refused: ["order_value"],
};
const MOST_YEARS = 2;
const JUST_LEFT_MS = 15 * 60_000;

/** The report that is being written: `key` says of which visit; `wrong` has a message by field. */
let draft = null;

const PREFIX = "draft:";
const NAMELESS = "A visit that is in no day any more";

/** The event that the server refused and that is to be written again, if it is about one. */
const corrected = (ctx) => (ctx.route.name === "correct" ? ctx.route.kind : "");

const keyOf = (ctx) => `${PREFIX}${ctx.document.rep.id}:${ctx.day.date}:${corrected(ctx)}:${ctx.stop.visit_id}`;

/** Another tab has sent a report of this visit: what was written there before is gone, and here it begins from what was sent. */
async function sentElsewhere(ctx) {
  await ctx.store.keepDraft(draft.key, null);
  await open(ctx, draft.key);
  draft.elsewhere = true;
  ctx.refresh();
}

/** What is written by half: [{name, day, visit_id, hash}], also of stops that are in no day any more. */
export async function unfinished(store, rep) {
  const drafts = await store.drafts();
  return drafts.filter(({ key }) => key.startsWith(`${PREFIX}${rep}:`)).map(({ value }) => value);
}

const EMPTY = {
  disposition: "", template: "", deal: "", next_step: "", next_step_on: "", competitor: "", concern: "", severity: "",
  reason: "", text: "", order_value: "", at_customer: null,
};

/** What is written already: a draft of this phone, or else the report that was sent. */
async function open(ctx, key) {
  draft = { key, loading: true, wrong: {}, ...EMPTY };
  const kept = await ctx.store.draft(key);
  const refused = ctx.sync.state.refused.find(({ id }) => id === corrected(ctx));
  const sent = refused ? { ...refused.body, at_customer: null } : ctx.stop.report;
  const known = kept ?? (sent ? { ...sent, order_value: sent.order_value == null ? "" : String(sent.order_value) } : {});
  const chosen = Object.keys(EMPTY).filter((name) => known[name] != null).map((name) => [name, known[name]]);
  draft = { key, wrong: {}, of: ctx.stop.report?.id ?? "", resumed: Boolean(kept), nothing: !kept && !refused, name: kept?.name || NAMELESS, ...EMPTY, ...Object.fromEntries(chosen) };
  ctx.refresh();
}

function put(ctx, changes) {
  Object.assign(draft, changes);
  for (const name of Object.keys(changes)) delete draft.wrong[name];
  const written = Object.fromEntries(Object.keys(EMPTY).map((name) => [name, draft[name]]));
  const of = { name: ctx.stop.name || draft.name, day: ctx.day.date, visit_id: ctx.stop.visit_id, hash: location.hash };
  ctx.store.keepDraft(draft.key, { ...written, ...of });
  ctx.refresh();
}

// --- what is asked ----------------------------------------------------------------------------------------------------

const fits = (template, stop) => template.for === "both" || template.for === (stop.opportunity ? "opportunity" : "account");

/** The templates that could be meant: made for how the visit went, or for any way. */
const templatesFor = (ctx, disposition) => {
  const fitting = ctx.document.templates.filter((template) => fits(template, ctx.stop));
  const exact = fitting.filter((template) => template.disposition === disposition);
  const open_ = fitting.filter((template) => !template.disposition);
  return [...exact, ...open_, ...(exact.length || open_.length ? [] : fitting.slice(0, 1))];
};

function templateOf(ctx) {
  const offered = templatesFor(ctx, draft.disposition);
  return offered.find(({ name }) => name === draft.template) ?? offered[0] ?? { name: "", fields: FIELDS, required: [], choices: {} };
}

/** A reason is asked for what was refused or lost, or goes back. */
const wantsReason = () => draft.disposition === "refused" || ["lost", "returned"].includes(draft.deal);

function asked(ctx, template) {
  const made = template.disposition === draft.disposition;
  const names = FIELDS.filter((name) => {
    if (name === "deal") return ctx.stop.opportunity && (draft.disposition === "refused" || (draft.disposition === "met" && template.fields.includes(name)));
    if (name === "reason") return wantsReason();
    if (name === "severity") return template.fields.includes(name) && (draft.concern.trim() || template.required.includes(name)) && !(UNASKED[draft.disposition].includes(name) && !made);
    return template.fields.includes(name) && (made || !UNASKED[draft.disposition].includes(name));
  });
  return names;
}

function required(ctx, template, names) {
  const needed = draft.disposition === "met" ? template.required.filter((name) => names.includes(name)) : [];
  if (names.includes("deal") && draft.disposition === "refused") needed.push("deal");
  if (names.includes("reason") && ["lost", "returned"].includes(draft.deal)) needed.push("reason");
  return new Set(needed);
}

const deals = () => (draft.disposition === "refused" ? ["lost", "returned"] : ["open", "proposed", "won", "lost", "returned"]);

const dealNow = () => (deals().includes(draft.deal) ? draft.deal : draft.disposition === "met" ? "open" : "");

/** What is wrong with it, by field. */
function problems(ctx, template, names) {
  const wrong = {};
  if (!draft.disposition) return { disposition: "Say how it went." };
  for (const name of required(ctx, template, names)) {
    const value = name === "deal" ? dealNow() : String(draft[name]).trim();
    if (!value) wrong[name] = name === "deal" ? "Is it lost, or does it go back?" : name === "reason" ? "Say why." : "This is needed.";
  }
  const value = amount(draft.order_value);
  if (names.includes("order_value") && value !== null && !(value >= 0 && value <= 1e12))
    wrong.order_value = "Write a number such as 1250 or 1,250.50.";
  const [year, thisYear] = [draft.next_step_on, ctx.document.today].map((day) => Number(day.split("-")[0]));
  if (names.includes("next_step_on") && draft.next_step_on && !(Math.abs(year - thisYear) <= MOST_YEARS)) wrong.next_step_on = "Look at the year.";
  return wrong;
}

/** Whether it is written where the visit was, as far as the clock tells; the person may say otherwise. */
function atCustomer(ctx) {
  if (draft.at_customer !== null) return draft.at_customer;
  const { stop } = ctx;
  const now = ctx.now().getTime();
  const planned = new Date(stop.leave) - new Date(stop.begin);
  if (isHere(stop)) return now - new Date(stop.visit.arrived_at) < 2 * planned + JUST_LEFT_MS;
  return openStops(ctx.day)[0] === stop && now > new Date(stop.begin) - JUST_LEFT_MS && now < new Date(stop.leave).getTime() + JUST_LEFT_MS;
}

/** As the server reads it: only what was asked. */
function body(ctx, template, names) {
  const has = (name) => names.includes(name);
  const text = (name) => (has(name) ? draft[name].trim() : "");
  return {
    disposition: draft.disposition,
    deal: has("deal") ? dealNow() : "open",
    next_step: text("next_step"),
    next_step_on: (has("next_step_on") && draft.next_step_on) || null,
    competitor: text("competitor"),
    concern: text("concern"),
    severity: (has("severity") && draft.severity) || null,
    reason: text("reason"),
    text: text("text"),
    order_value: has("order_value") ? amount(draft.order_value) : null,
    template: template.name,
    at_customer: ctx.day.date === ctx.document.today && !ctx.stop.visit?.left_at && atCustomer(ctx),
  };
}

async function send(ctx, event) {
  event.preventDefault();
  if (draft.sending) return;
  const template = templateOf(ctx);
  const names = draft.disposition ? asked(ctx, template) : [];
  draft.wrong = problems(ctx, template, names);
  const first = Object.keys(draft.wrong)[0];
  ctx.refresh();
  if (first) {
    document.querySelector(`[data-field="${first}"] :is(input, textarea)`)?.focus();
    return;
  }
  draft.sending = true;
  draft.failed = "";
  try {
    await say(ctx, ctx.day, "reported", ctx.stop.visit_id, body(ctx, template, names));
    if (corrected(ctx)) await ctx.sync.discard(corrected(ctx));
    await ctx.store.keepDraft(draft.key, null);
  } catch (error) {
    draft.failed = notKept(error) ? NOT_KEPT : `It was not sent: ${error.message}`;
    ctx.refresh();
    return;
  } finally {
    draft.sending = false;
  }
  const back = ctx.day.date === ctx.document.today || !ctx.day.stops.includes(ctx.stop) ? "#/today" : stopHash(ctx.day, ctx.stop);
  draft = null;
  ctx.go(back);
}

// --- the form ---------------------------------------------------------------------------------------------------------

const wrongId = (name) => `wrong-${name}`;
const describedBy = (name) => (draft.wrong[name] ? wrongId(name) : nothing);
const problem = (name) => (draft.wrong[name] ? html`<p class="field-wrong" id=${wrongId(name)}>${draft.wrong[name]}</p>` : nothing);

function choices(ctx, name, options, { value = draft[name], needed = false } = {}) {
  return html`<fieldset class="choice choice-${options.length}" data-field=${name} aria-describedby=${describedBy(name)}>
    <legend>${LABELS[name]}${needed ? html` <span class="needed">needed</span>` : nothing}</legend>
    <div class="choice-row">${options.map(([chosen, label]) => html`<label class="pick"><input type="radio" name=${name} .value=${chosen}
      .checked=${live(value === chosen)} @change=${() => put(ctx, { [name]: chosen })} /><span>${label}</span></label>`)}</div>
    ${problem(name)}</fieldset>`;
}

const chips = (options, pressed, choose, grid = "") =>
  html`<div class="chips ${grid}">${options.map(([value, label]) => html`<button type="button" class="chip" aria-pressed=${pressed(value)} @click=${() => choose(value)}>${label}</button>`)}</div>`;

const label = (name, needed) => html`<label for=${`report-${name}`}>${LABELS[name]}${needed ? html` <span class="needed">needed</span>` : nothing}</label>`;

function line(ctx, name, needed, offered, attributes = {}) {
  return html`<div class="field" data-field=${name}>${label(name, needed)}
    ${offered.length ? chips(offered.map((text) => [text, html`<bdi>${text}</bdi>`]), (text) => draft[name] === text,
      (text) => put(ctx, { [name]: draft[name] === text ? "" : text })) : nothing}
    <input id=${`report-${name}`} type="text" autocomplete="off" enterkeyhint="done" maxlength=${LONGEST[name] ?? nothing}
      inputmode=${attributes.inputmode ?? nothing} aria-describedby=${describedBy(name)} aria-invalid=${draft.wrong[name] ? "true" : nothing}
      .value=${live(draft[name])} @input=${(event) => put(ctx, { [name]: event.target.value })} />
    ${problem(name)}${attributes.after ?? nothing}</div>`;
}

function when(ctx, needed) {
  const { today } = ctx.document;
  const presets = [["Tomorrow", addDays(today, 1)], ["In a week", addDays(today, 7)], ["In two weeks", addDays(today, 14)], ["Next month", addMonth(today)]];
  return html`<div class="field" data-field="next_step_on">${label("next_step_on", needed)}
    ${chips(presets.map(([name, date]) => [date, html`${name} <span class="chip-date">${shortDay(date)}</span>`]), (date) => draft.next_step_on === date,
      (date) => put(ctx, { next_step_on: draft.next_step_on === date ? "" : date }), "chips-even")}
    <input id="report-next_step_on" type="date" min=${today} aria-describedby=${describedBy("next_step_on")}
      .value=${live(draft.next_step_on)} @change=${(event) => put(ctx, { next_step_on: event.target.value })} />
    ${problem("next_step_on")}</div>`;
}

function field(ctx, name, template, needed) {
  const must = needed.has(name);
  const offered = template.choices?.[name] ?? [];
  switch (name) {
    case "deal":
      return choices(ctx, name, deals().map((deal) => [deal, DEALS[deal]]), { value: dealNow(), needed: must });
    case "severity":
      return choices(ctx, name, Object.entries(SEVERITIES), { needed: must });
    case "next_step":
      return line(ctx, name, must, NEXT_STEPS);
    case "next_step_on":
      return when(ctx, must);
    case "text":
      return html`<div class="field" data-field="text">${label(name, must)}
        <textarea id="report-text" rows="4" maxlength=${LONGEST.text} aria-describedby=${describedBy(name)} aria-invalid=${draft.wrong.text ? "true" : nothing}
          .value=${live(draft.text)} @input=${(event) => put(ctx, { text: event.target.value })}></textarea>${problem(name)}</div>`;
    case "order_value": {
      const value = amount(draft.order_value);
      return line(ctx, name, must, [], { inputmode: "decimal", after: value > 0 ? html`<p class="field-hint numbers">= ${money(value)}</p>` : nothing });
    }
    default:
      return line(ctx, name, must, offered);
  }
}

function templateChoice(ctx, template) {
  const offered = templatesFor(ctx, draft.disposition);
  if (offered.length < 2) return nothing;
  return html`<div class="field"><label for="report-template">Template</label>
    <select id="report-template" @change=${(event) => choose(ctx, draft.disposition, event.target.value)}>
      ${offered.map(({ name }) => html`<option value=${name} ?selected=${name === template.name}>${name}</option>`)}</select></div>`;
}

/** How it went, and with it a template; the words that a template begins with give way to those of another. */
function choose(ctx, disposition, named = "") {
  const before = draft.disposition ? templateOf(ctx).text ?? "" : "";
  Object.assign(draft, { disposition, template: named });
  const template = templateOf(ctx);
  const text = !draft.text.trim() || draft.text === before ? template.text ?? "" : draft.text;
  delete draft.wrong.disposition;
  put(ctx, { template: template.name, text });
}

function there(ctx) {
  const { stop, day } = ctx;
  if (day.date !== ctx.document.today || stop.visit?.left_at) return nothing;
  return html`<label class="check"><input type="checkbox" .checked=${live(atCustomer(ctx))}
    @change=${(event) => put(ctx, { at_customer: event.target.checked })} />I am there, or have just left</label>`;
}

/** A visit that is written about stays one, also when it has left the day, or the day the phone. */
function about(ctx) {
  const { date, visitId } = ctx.route;
  if (ctx.day?.stops.includes(ctx.stop)) return ctx;
  const day = ctx.day ?? { date, revision: 0, stops: [], left_out: [] };
  const opportunity = visitId.startsWith("opportunity:") ? {} : null;
  return { ...ctx, day, stop: { name: "", opportunity, visit: null, report: null, ...ctx.stop, visit_id: visitId } };
}

const noStop = html`<h1>No such stop</h1><p><a href="#/today">Back to today</a></p>`;

export function view(known) {
  if (!Date.parse(known.route.date) || !known.route.visitId) return noStop;
  const ctx = about(known);
  const { day, stop } = ctx;
  const key = keyOf(ctx);
  if (draft?.key !== key) open(ctx, key);
  else if (!draft.loading && !draft.sending && (stop.report?.id ?? draft.of) !== draft.of) sentElsewhere(ctx);
  const name = stop.name || draft.name;
  const crumb = html`<p class="crumb"><a href=${known.stop ? stopHash(day, stop) : "#/today"}>${icon("back")}<span class="clip"><bdi>${known.stop ? name : "Today"}</bdi></span></a></p>`;
  if (draft.loading) return html`${crumb}<h1 class="view-title">Report</h1>`;
  if (!known.stop && draft.nothing) return noStop;
  const template = draft.disposition ? templateOf(ctx) : null;
  const names = template ? asked(ctx, template) : [];
  const needed = template ? required(ctx, template, names) : new Set();
  const wrong = Object.keys(draft.wrong).length;
  return html`${crumb}
    <h1 class="view-title">Report<span class="view-date"><bdi>${name}</bdi>, ${shortDay(day.date)}</span></h1>
    ${draft.elsewhere ? html`<p class="note" role="status">Sent already; what you send now replaces it.</p>` : draft.resumed ? html`<p class="quiet small">Your draft of before.</p>` : stop.report ? html`<p class="quiet small">What you send now counts instead of what you sent.</p>` : nothing}
    <form class="report" novalidate @submit=${(event) => send(ctx, event)}>
      <fieldset class="choice choice-big" data-field="disposition" aria-describedby=${describedBy("disposition")}>
        <legend>How did it go?</legend>
        <div class="choice-row">${Object.entries(DISPOSITIONS).map(([value, said]) => html`<label class="pick"><input type="radio" name="disposition" .value=${value}
          .checked=${live(draft.disposition === value)} @change=${() => choose(ctx, value)} /><span>${said}</span></label>`)}</div>
        ${problem("disposition")}</fieldset>
      ${template
        ? html`${templateChoice(ctx, template)}${names.map((name) => field(ctx, name, template, needed))}${there(ctx)}`
        : nothing}
      <div class="send-bar">
        <p role="status" class="field-wrong">${draft.failed ? draft.failed : wrong ? (wrong === 1 ? "One thing is missing or wrong above." : `${wrong} things are missing or wrong above.`) : ""}</p>
        <button class="button button-main button-big" ?disabled=${!draft.disposition}>Send</button></div>
    </form>`;
}
