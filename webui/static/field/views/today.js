// The day: before it when to leave home, during it the next stop and the rest, after it what comes tomorrow.

import { html, nothing } from "lit-html";
import {
  arriving, callsOf, callsToMake, changeHash, endOf, icon, isHere, isOver, leaveBy, lines, mapButton, mapOf, mendLink, night, openStops,
  pauseLine, pausesBefore, startOf, stopHash, stopLine,
} from "field/views/parts.js";
import { card } from "field/views/stop.js";
import { clock, count, distance, duration, longDay, nearDay, told } from "field/views/words.js";

const EVENING_MS = 60 * 60_000;
const MOST_OPEN = 3;

/** Nothing is left to do today, or the day has been over for an hour. */
function isEvening(ctx, day) {
  if (!day || !openStops(day).length || day.progress?.sick) return true;
  const ends = [day.work_end, day.end?.time].filter(Boolean).map((moment) => new Date(moment).getTime());
  return ctx.now() - Math.max(...ends) > EVENING_MS;
}

const nextDay = (ctx, date) => ctx.document.days.find((day) => day.date > date && day.stops.length);

const banner = (ctx) => {
  const number = ctx.sync.state.conflicts.length + ctx.sync.state.refused.length;
  return number
    ? html`<p class="note banner"><a href="#/me">${count(number, "thing")} to look at${icon("next")}</a></p>`
    : nothing;
};

/** What of the days before is still to be told; and what is written by half and not in sight. */
function fromBefore(ctx) {
  const { today, days, rep } = ctx.document;
  const open = days.filter(({ date, progress }) => date < today && !progress?.sick).map((day) => ({ day, stops: openStops(day) })).filter(({ stops }) => stops.length);
  const number = open.reduce((sum, { stops }) => sum + stops.length, 0);
  const inSight = new Set([...open, ...days.filter(({ date }) => date === today)].flatMap(({ day, stops, date }) => stops.map(({ visit_id }) => `${date ?? day.date} ${visit_id}`)));
  const halves = ctx.unfinished.filter(({ day, visit_id }) => !inSight.has(`${day} ${visit_id}`));
  return html`${halves.length
      ? html`<section aria-labelledby="halves"><h2 id="halves">Written by half</h2><ul class="plain lines">${halves.map(({ name, day, hash }) => html`<li class="line">
          <a class="line-link" href=${hash}><span class="line-text"><strong><bdi>${name}</bdi></strong><span class="quiet small">${nearDay(day, today)}</span></span>${icon("next")}</a></li>`)}</ul></section>`
      : nothing}
    ${number
      ? html`<details class="fold from-before" ?open=${number <= MOST_OPEN}><summary>Not reported yet, of the days before: ${count(number, "visit")}</summary>
          ${open.reverse().map(({ day, stops }) => html`<p class="quiet small">${nearDay(day.date, today)}</p>
            <ul class="plain lines">${stops.map((stop) => stopLine(day, stop, rep.timezone))}</ul>`)}</details>`
      : nothing}`;
}

const totals = (stops, day) => {
  const seconds = stops.reduce((sum, stop) => sum + stop.drive_seconds, day.return_drive_seconds ?? 0);
  const metres = stops.reduce((sum, stop) => sum + stop.drive_metres, day.return_drive_metres ?? 0);
  return `${count(stops.length, "visit")} · ${duration(seconds)} driving, ${distance(metres)}`;
};

const dayActs = (ctx, day) => html`<p class="acts-quiet day-acts">
  ${mapButton(ctx, day.date)}
  ${day.date >= ctx.document.today ? html`<a class="button" href=${changeHash(day)}>${icon("change")}Change the day</a>` : nothing}
</p>${mapOf(ctx, day.date, day)}`;

function leftOut(day, ctx) {
  if (!day.left_out.length) return nothing;
  return html`<section aria-labelledby="left-out"><h2 id="left-out">Left out ${day.date === ctx.document.today ? "today" : "on this day"}</h2>
    <ul class="plain lines">${day.left_out.map((visit) => html`<li class="line">
      <a class="line-link" href=${stopHash(day, visit)}><span class="line-text"><strong><bdi>${visit.name}</bdi></strong>
        <span class="quiet small"><bdi>${told(visit.why)}</bdi></span></span>${icon("next")}</a></li>`)}</ul></section>`;
}

const note = (day) => (day.note ? html`<p class="day-note"><bdi>${day.note}</bdi></p>` : nothing);

/** A day that got so late that the break cannot be taken says so; one that is over does not. */
const noBreak = ({ break_missed: missed, progress }, zone) =>
  missed && !progress?.sick
    ? html`<p class="note">No time for the break on this day (due ${clock(missed.start, zone)}–${clock(missed.end, zone)}).</p>`
    : nothing;

function sick(ctx, day) {
  if (!day.progress?.sick) return nothing;
  return html`<div class="note"><p>You are off sick on this day. Nothing more is done.</p>
    <p class="acts-quiet"><a class="button" href=${changeHash(day, "well")}>I can work after all</a></p></div>`;
}

/** A day that has not begun, whole: when to leave home, the first stop, everything in order. */
export function planned(ctx, day, { level = 1 } = {}) {
  const zone = ctx.document.rep.timezone;
  const near = nearDay(day.date, ctx.document.today);
  const title = html`${near}<span class="view-date">${longDay(day.date)}</span>`;
  const heading = level === 1 ? html`<h1 class="view-title">${title}</h1>` : html`<h2 class="view-title">${title}</h2>`;
  const first = day.stops[0];
  if (!first) return html`${heading}${note(day)}${sick(ctx, day)}<p class="empty">${day.works ? "No visits are planned." : "A day off."}</p>${night(ctx, day)}${leftOut(day, ctx)}`;
  return html`${heading}${note(day)}${sick(ctx, day)}${mendLink(day)}${callsToMake(callsOf(day))}
    ${day.date >= ctx.document.today && !isOver(first)
      ? html`<section class="card first-stop" aria-label="How the day begins">
          <p class="leave">Leave ${startOf(day)} at ${clock(leaveBy(first), zone)}</p>
          ${day.start?.hotel ? html`<p>From <strong><bdi>${day.start.hotel}</bdi></strong></p>` : nothing}
          <p class="first-name">First <a href=${stopHash(day, first)}><bdi>${first.name}</bdi></a></p>
          <p class="quiet">${arriving(first, zone)} · ${duration(first.drive_seconds)}, ${distance(first.drive_metres)}</p>
          <p class="address"><bdi>${first.address}</bdi></p></section>`
      : nothing}
    ${openStops(day).length ? noBreak(day, zone) : nothing}
    ${dayActs(ctx, day)}
    <p class="quiet numbers">${totals(day.stops, day)}</p>
    ${lines(day, day.stops, zone)}${night(ctx, day)}${leftOut(day, ctx)}`;
}

function doneFold(ctx, day) {
  const done = day.stops.filter(isOver);
  if (!done.length) return nothing;
  return html`<details class="fold done"><summary>${icon("done")} ${count(done.length, "visit")} done</summary>
    <ul class="plain lines">${done.map((stop) => stopLine(day, stop, ctx.document.rep.timezone))}</ul></details>`;
}

/** After the day: what has no report yet, and what comes next. */
function evening(ctx, day) {
  const zone = ctx.document.rep.timezone;
  const { today } = ctx.document;
  const next = nextDay(ctx, today);
  const open = day && !day.progress?.sick ? openStops(day) : [];
  const said = !day || (!day.works && !day.stops.length) ? "A day off." : day.stops.length ? "All done for today." : "No visits are planned today.";
  return html`<h1 class="view-title">Today<span class="view-date">${longDay(today)}</span></h1>
    ${banner(ctx)}${fromBefore(ctx)}${day ? html`${note(day)}${sick(ctx, day)}${callsToMake(callsOf(day))}` : nothing}
    ${open.length
      ? html`<section aria-labelledby="unreported"><h2 id="unreported">Not reported yet</h2>
          <ul class="plain lines">${open.map((stop) => stopLine(day, stop, zone))}</ul></section>`
      : day?.progress?.sick ? nothing : html`<p class="empty">${said}</p>`}
    ${night(ctx, day)}
    ${day ? html`${doneFold(ctx, day)}${leftOut(day, ctx)}
      ${day.works && !open.length && !day.progress?.sick ? html`<p class="acts-quiet"><a class="button" href=${changeHash(day, "added")}>Add a stop today</a></p>` : nothing}` : nothing}
    ${next ? planned(ctx, next, { level: 2 }) : html`<p class="empty">Nothing is planned for the days after.</p>`}`;
}

/** During the day. */
function working(ctx, day) {
  const zone = ctx.document.rep.timezone;
  const open = openStops(day);
  const next = open.find(isHere) ?? open[0];
  const rest = open.filter((stop) => stop !== next);
  return html`<h1 class="view-title">Today<span class="view-date">${longDay(day.date)}</span></h1>
    ${banner(ctx)}${fromBefore(ctx)}${note(day)}${mendLink(day)}${callsToMake(callsOf(day))}${noBreak(day, zone)}
    ${pausesBefore(day, next, ctx.now()) ? html`<ul class="plain lines">${pauseLine(day, zone)}</ul>` : nothing}
    <section aria-label=${isHere(next) ? "The stop you are at" : "Next stop"}>
      ${card(ctx, day, next, html`<h2 class="stop-name"><a href=${stopHash(day, next)}><bdi>${next.name}</bdi></a></h2>`, (title) => html`<h3 class="part-title">${title}</h3>`)}</section>
    ${dayActs(ctx, day)}
    <section aria-labelledby="rest"><h2 id="rest">${rest.length ? "After that" : day.end?.hotel ? "Then to the hotel" : "Then home"}</h2>
      <p class="quiet numbers">${rest.length ? `${count(rest.length, "visit")} left after this · ` : ""}${endOf(day)} about ${clock(day.end?.time, zone)}</p>
      ${lines(day, rest, zone, { from: ctx.now(), shown: next })}</section>
    ${night(ctx, day)}
    ${doneFold(ctx, day)}${leftOut(day, ctx)}`;
}

export function view(ctx) {
  const { today, days } = ctx.document;
  const day = ctx.day ?? days.find(({ date }) => date === today);
  if (day && day.date !== today)
    return html`<p class="crumb"><a href="#/week">${icon("back")}Week</a></p>${planned(ctx, day)}${doneFold(ctx, day)}`;
  return isEvening(ctx, day) ? evening(ctx, day) : working(ctx, day);
}
