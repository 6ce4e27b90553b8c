// Seven days at a glance.

import { html, nothing } from "lit-html";
import { callsOf, icon, isOver, leaveBy } from "field/views/parts.js";
import { addDays, clock, count, duration, nearDay, shortDay } from "field/views/words.js";

const DAYS = 7;

function figures(ctx, day) {
  const zone = ctx.document.rep.timezone;
  const { stops } = day;
  const seconds = stops.reduce((sum, stop) => sum + stop.drive_seconds, day.return_drive_seconds ?? 0);
  const done = stops.filter(isOver).length;
  const promises = stops.filter((stop) => stop.promise).length;
  const calls = callsOf(day).length;
  return html`<span class="numbers">${clock(leaveBy(stops[0]), zone)}–${clock(day.end?.time, zone)}</span> · ${count(stops.length, "visit")}${
      done ? `, ${done} done` : ""}
    <span class="quiet">· ${duration(seconds)} driving</span>
    ${day.end?.hotel ? html`<span class="tag">night at <bdi>${day.end.hotel}</bdi></span>` : nothing}
    ${promises ? html`<span class="promise">${count(promises, "promise")}</span>` : nothing}
    ${calls ? html`<span class="tag tag-warn">${count(calls, "call")} to make</span>` : nothing}`;
}

function row(ctx, date) {
  const { today } = ctx.document;
  const day = ctx.document.days.find((one) => one.date === date);
  const near = nearDay(date, today);
  const name = html`<strong>${near}</strong>${near === shortDay(date) ? nothing : html` <span class="quiet">${shortDay(date)}</span>`}`;
  if (!day?.stops.length) {
    const why = !day ? "Not on this phone" : day.progress?.sick ? "Off sick" : day.works ? "No visits planned" : "Day off";
    return html`<li class="week-day is-free"><p>${name} <span class="quiet">${why}</span></p>${day?.note ? html`<p class="quiet small clip"><bdi>${day.note}</bdi></p>` : nothing}</li>`;
  }
  return html`<li class="week-day ${date === today ? "is-today" : ""}">
    <a class="line-link" href=${date === today ? "#/today" : `#/day/${date}`}>
      <span class="line-text"><span>${name}${day.progress?.sick ? html` <span class="tag tag-warn">Off sick</span>` : nothing}</span>
        <span class="small">${figures(ctx, day)}</span>
        <span class="quiet small clip">First <bdi>${day.stops[0].name}</bdi></span>
        ${day.note ? html`<span class="small clip"><bdi>${day.note}</bdi></span>` : nothing}</span>
      ${icon("next")}</a></li>`;
}

export function view(ctx) {
  const dates = Array.from({ length: DAYS }, (_, index) => addDays(ctx.document.today, index));
  const before = ctx.document.days.filter(({ date, stops }) => date < ctx.document.today && stops.length);
  return html`<h1 class="view-title">Week<span class="view-date">${shortDay(dates[0])} – ${shortDay(dates.at(-1))}</span></h1>
    <ul class="plain week-list">${dates.map((date) => row(ctx, date))}</ul>
    ${before.length ? html`<details class="fold"><summary>The days before</summary><ul class="plain week-list">${before.map(({ date }) => row(ctx, date))}</ul></details>` : nothing}`;
}
