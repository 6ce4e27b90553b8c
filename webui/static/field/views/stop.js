// One stop: who, why, when to leave, what is known, and what to do there.

import { html, nothing } from "lit-html";
import {
  arriving, callButton, changeHash, icon, isHere, isOver, leaveBy, mailButton, navigation, promiseLine, reportHash, startOf, stopHash,
  tags, verdict,
} from "field/views/parts.js";
import { checkIn, checkingIn, leave } from "field/views/acts.js";
import {
  clock, count, DEALS, DISPOSITIONS, distance, duration, longDay, money, nearDay, SEVERITIES, shortDay, told,
} from "field/views/words.js";

const SLACK_MS = 3 * 60_000;

/** When to leave for it; in words, and whether that has passed. */
function leaving(ctx, day, stop) {
  const zone = ctx.document.rep.timezone;
  const at = leaveBy(stop);
  const now = ctx.now();
  const first = day.stops[0]?.visit_id === stop.visit_id;
  const from = first ? `Leave ${startOf(day)} by` : "Leave by";
  if (!stop.drive_seconds && !first) return { text: "At the same door", passed: false };
  if (day.date === ctx.document.today && now > at) return { text: "Leave now", was: clock(at, zone), passed: now - at > SLACK_MS };
  return { text: `${from} ${clock(at, zone)}`, passed: false };
}

const drive = (stop) => (stop.drive_seconds ? `${duration(stop.drive_seconds)}, ${distance(stop.drive_metres)}` : "no drive");

/** What to do there, the likeliest first. */
function actions(ctx, day, stop) {
  const today = day.date === ctx.document.today;
  const past = day.date < ctx.document.today;
  if (isOver(stop))
    return html`<p class="acts">
      ${stop.visit.disposition
        ? html`<a class="button button-big" href=${reportHash(day, stop)}>${icon("report")}Write the report again</a>`
        : html`<a class="button button-main button-big" href=${reportHash(day, stop)}>${icon("report")}Report</a>`}</p>`;
  const reportNow = html`<a class="button button-big ${isHere(stop) || past ? "button-main" : ""}" href=${reportHash(day, stop)}>${icon("report")}Report</a>`;
  if (!today) return past ? html`<p class="acts">${reportNow}</p>` : nothing;
  const busy = checkingIn(stop);
  return html`<p class="acts">
    ${isHere(stop)
      ? nothing
      : html`<button type="button" class="button button-big" ?disabled=${busy} @click=${() => checkIn(ctx, day, stop)}
          >${icon("here")}${busy ? "Checking in…" : "I am here"}</button>`}
    ${reportNow}</p>`;
}

function opportunityPart(stop, part) {
  const deal = stop.opportunity;
  if (!deal) return nothing;
  return html`<section class="part">${part("Opportunity")}
    <p class="part-line"><strong class="numbers">${money(deal.value)}</strong>, ${Math.round(deal.probability * 100)} % likely${
      deal.deadline ? html`, first visit by ${shortDay(deal.deadline.slice(0, 10))}` : nothing}${
      deal.inside_rep ? html`<br /><span class="quiet small">From <bdi>${deal.inside_rep}</bdi></span>` : nothing}</p>
    ${deal.bant.length
      ? html`<dl class="bant">${deal.bant.map(({ question, answer, said_by, said_on }) => html`<div class=${["yes", "no"].includes(answer) ? `bant-${answer}` : "bant-open"}>
          <dt>${question}</dt><dd><bdi>${answer || "not asked"}</bdi>${
            said_by || said_on ? html` <span class="quiet small"><bdi>${said_by}</bdi>${said_on ? ` ${shortDay(said_on)}` : ""}</span>` : nothing}</dd></div>`)}</dl>`
      : nothing}
    ${deal.notes ? html`<p class="said"><bdi>${deal.notes}</bdi></p>` : nothing}
  </section>`;
}

const lastReport = (said) => html`<div class="last-report">
  <p class="part-line"><strong>${DISPOSITIONS[said.disposition] ?? said.disposition}</strong>, ${shortDay(said.day)} <span class="quiet small"><bdi>${said.rep}</bdi></span></p>
  ${said.text ? html`<p class="said"><bdi>${said.text}</bdi></p>` : nothing}
  ${said.next_step ? html`<p class="part-line small">Next: <bdi>${said.next_step}</bdi>${said.next_step_on ? `, ${shortDay(said.next_step_on)}` : ""}</p>` : nothing}
  ${said.concern ? html`<p class="part-line small">Concern: <bdi>${said.concern}</bdi></p>` : nothing}
</div>`;

function lastReports(stop, part) {
  const [last, ...earlier] = stop.last_reports;
  if (!last) return nothing;
  return html`<section class="part">${part("Last time")}${lastReport(last)}
    ${earlier.length ? html`<details class="fold"><summary>Before that</summary>${earlier.map(lastReport)}</details>` : nothing}</section>`;
}

function contactPart(stop, part) {
  const { name, phone, email } = stop.contact ?? {};
  if (!name && !phone && !email) return nothing;
  return html`<section class="part">${part("Contact")}
    <p class="part-line"><bdi>${name || "Nobody by name"}</bdi>${phone ? html`<br /><span class="numbers">${phone}</span>` : nothing}${
      email ? html`<br /><bdi>${email}</bdi>` : nothing}</p></section>`;
}

function accountPart(stop, part) {
  const { account } = stop;
  if (!account) return nothing;
  const source = { set: "set by hand", learned: `learned from ${count(account.minutes.visits, "visit")}`, record: "as recorded", default: "as usual" };
  return html`<section class="part">${part("Customer")}
    <dl class="facts">
      ${account.name && account.name !== stop.name ? html`<div><dt>Name</dt><dd><bdi>${account.name}</bdi></dd></div>` : nothing}
      ${account.segment ? html`<div><dt>Segment</dt><dd>${account.segment}, every ${account.cadence_days} days</dd></div>` : nothing}
      <div><dt>Last visit</dt><dd>${account.last_visit ? shortDay(account.last_visit) : "never"}</dd></div>
      ${account.annual_value ? html`<div><dt>Yearly value</dt><dd class="numbers">${money(account.annual_value)}</dd></div>` : nothing}
      <div><dt>Visits take</dt><dd>${account.minutes.expected} min <span class="quiet small">${source[account.minutes.source]}</span></dd></div>
      ${stop.hours ? html`<div><dt>Open</dt><dd><bdi>${stop.hours}</bdi></dd></div>` : nothing}
    </dl></section>`;
}

function sentPart(ctx, stop, part) {
  const { report } = stop;
  if (!report) return nothing;
  const zone = ctx.document.rep.timezone;
  const rows = [
    ["Opportunity", stop.opportunity && DEALS[report.deal]],
    ["Why", report.reason],
    ["Next", [report.next_step, report.next_step_on && shortDay(report.next_step_on)].filter(Boolean).join(", ")],
    ["Competitors", report.competitor],
    ["Concern", [report.concern, report.severity && SEVERITIES[report.severity].toLowerCase()].filter(Boolean).join(", ")],
    ["Ordered", report.order_value != null && money(report.order_value)],
  ].filter(([, said]) => said);
  return html`<section class="part">${part("Your report")}
    <p class="part-line"><strong>${DISPOSITIONS[report.disposition]}</strong>${report.made_at ? html`, <span class="numbers">${clock(report.made_at, zone)}</span>` : nothing}</p>
    ${rows.length ? html`<dl class="facts">${rows.map(([name, said]) => html`<div><dt>${name}</dt><dd><bdi>${said}</bdi></dd></div>`)}</dl>` : nothing}
    ${report.text ? html`<p class="said"><bdi>${report.text}</bdi></p>` : nothing}</section>`;
}

/** What came of the check-in. */
function checkedIn(ctx, stop) {
  if (!stop.visit?.arrived_at) return nothing;
  const zone = ctx.document.rep.timezone;
  const { arrived_at, left_at, dwell_minutes } = stop.visit;
  return html`<p class="checked-in">${icon("here")}<span>Here ${left_at ? "from" : "since"} <span class="numbers">${clock(arrived_at, zone)}</span>${
    left_at ? html` to <span class="numbers">${clock(left_at, zone)}</span>` : nothing}${
    dwell_minutes ? `, ${dwell_minutes} min` : ""}${isHere(stop) ? html`, until about <span class="numbers">${clock(stop.leave, zone)}</span>` : nothing} <span class="quiet">· ${verdict(stop.visit)}</span></span></p>`;
}

/** All of a stop. `heading` is its name as a heading of the page, and `part` makes the headings under that. */
export function card(ctx, day, stop, heading, part) {
  const zone = ctx.document.rep.timezone;
  const go = isOver(stop) || isHere(stop) ? null : leaving(ctx, day, stop);
  const others = stop.rides_with.map(({ name }) => name);
  return html`<article class="card stop-card" data-visit=${stop.visit_id}>
    ${go ? html`<div class="leave-line"><p class="leave ${go.passed ? "is-passed" : ""}">${go.text}${go.was ? html` <span class="leave-was">was ${go.was}</span>` : nothing}</p>
      ${go.passed ? html`<a class="button" href=${changeHash(day, "late")}>Running late?</a>` : nothing}</div>` : nothing}
    ${heading}
    ${tags(stop, zone, { short: true })}
    ${checkedIn(ctx, stop)}
    ${isOver(stop) || isHere(stop)
      ? nothing
      : html`<p class="when">${arriving(stop, zone)}, ${duration((new Date(stop.leave) - new Date(stop.begin)) / 1000)} there
          <span class="quiet">· ${drive(stop)}${stop.parking_minutes ? `, ${stop.parking_minutes} min to park` : ""}</span></p>`}
    ${stop.promise ? promiseLine(stop.promise, zone) : nothing}
    ${stop.promise?.call ? html`<p class="note">Call them: <bdi>${stop.promise.call}</bdi></p>` : nothing}
    <p class="why"><bdi>${told(stop.why)}</bdi></p>
    ${others.length ? html`<p class="rides">Rides along with ${others.map((name, index) => html`${index ? ", " : nothing}<bdi>${name}</bdi>`)}</p>` : nothing}
    <p class="address"><bdi>${stop.address}</bdi></p>
    <div class="ways">${isOver(stop) || isHere(stop) ? nothing : navigation(stop, ctx.refresh)}
      ${callButton(stop.contact, stop.name)}${mailButton(stop.contact, stop.name)}${isHere(stop) ? actions(ctx, day, stop) : nothing}</div>
    ${isHere(stop) ? nothing : actions(ctx, day, stop)}
    ${sentPart(ctx, stop, part)}${contactPart(stop, part)}${lastReports(stop, part)}${opportunityPart(stop, part)}${accountPart(stop, part)}
  </article>`;
}

/** What else can be said of a stop that is still to come. */
function otherActs(ctx, day, stop) {
  if (day.date < ctx.document.today || stop.visit?.disposition) return nothing;
  if (isHere(stop))
    return html`<p class="acts-quiet"><button type="button" class="button" @click=${() => leave(ctx, day, stop)}>Left without a report</button></p>`;
  if (isOver(stop)) return nothing;
  return html`<p class="acts-quiet">
    <a class="button" href=${changeHash(day, "cancelled", stop.visit_id)}>Customer cancelled</a>
    <a class="button" href=${changeHash(day, "skipped", stop.visit_id)}>Skip it</a></p>`;
}

/** A visit that is left out today. */
function leftOut(ctx, day, visit) {
  return html`<article class="card stop-card">
    <h1><bdi>${visit.name}</bdi></h1>
    <p class="address"><bdi>${visit.address}</bdi></p>
    <p class="note"><bdi>${told(visit.why)}</bdi></p>
    ${visit.promise?.call ? html`<p class="note">Call them: <bdi>${visit.promise.call}</bdi></p>` : nothing}
    <div class="ways">${callButton(visit.contact, visit.name, Boolean(visit.promise))}${mailButton(visit.contact, visit.name)}</div>
    <p class="acts"><a class="button button-big" href=${changeHash(day, "restored", visit.visit_id)}>Do it after all</a></p>
  </article>`;
}

export function view(ctx) {
  const { day, stop } = ctx;
  const back = day?.date && day.date !== ctx.document.today ? `#/day/${day.date}` : "#/today";
  const crumb = html`<p class="crumb"><a href=${back}>${icon("back")}${day ? nearDay(day.date, ctx.document.today) : "Today"}</a></p>`;
  if (!stop) return html`${crumb}<h1>No such stop</h1><p>It is no longer in this day. Perhaps the plan has changed.</p>`;
  const at = day.stops.indexOf(stop);
  if (at < 0) return html`${crumb}${leftOut(ctx, day, stop)}`;
  const [before, after] = [day.stops[at - 1], day.stops[at + 1]];
  return html`${crumb}
    <p class="view-date">Stop ${at + 1} of ${day.stops.length}, ${longDay(day.date)}</p>
    ${card(ctx, day, stop, html`<h1><bdi>${stop.name}</bdi></h1>`, (title) => html`<h2 class="part-title">${title}</h2>`)}
    ${otherActs(ctx, day, stop)}
    <nav class="beside" aria-label="Stops beside">
      ${before ? html`<a class="button" href=${stopHash(day, before)}>${icon("back")}<span class="clip"><bdi>${before.name}</bdi></span></a>` : html`<span></span>`}
      ${after ? html`<a class="button" href=${stopHash(day, after)}><span class="clip"><bdi>${after.name}</bdi></span>${icon("next")}</a>` : nothing}
    </nav>`;
}
