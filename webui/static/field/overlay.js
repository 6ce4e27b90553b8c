// What the phone shows before the server has answered: the document with what waits in the queue done to it.
//
// Only what the person said is done, and what plainly follows: later times for what comes after. Whether another order
// would be better is for the server to say. Where a stop's predecessor is another one than in the document, the drive is
// a guess from the straight line, and the stop says so (`guessed`).

const DETOUR = 1.4;
const METRES_A_SECOND = 8;
const EARTH_M = 6_371_000;
const UNSHOWN = "What you said is kept on this phone, but this day cannot be shown with it before the server has answered.";

/** Facts first make a stop `over`. */
export const isOver = (stop) => Boolean(stop.visit && (stop.visit.left_at || stop.visit.disposition));

const ACTS = {
  arrived: (day, event) => visited(day, event, (visit) => ({ arrived_at: earlier(visit.arrived_at, event.made_at), placed: event.body.lat != null })),
  left: (day, event) => visited(day, event, (visit) => ({ left_at: event.made_at, dwell_minutes: dwell(visit.arrived_at, event.made_at) })),
  reported(day, event) {
    const { at_customer, ...report } = event.body;
    const reported = visited(day, event, (visit) => {
      const left_at = visit.left_at ?? (at_customer && visit.arrived_at ? event.made_at : null);
      return { report_id: event.id, disposition: report.disposition, left_at, dwell_minutes: visit.dwell_minutes ?? dwell(visit.arrived_at, left_at) };
    });
    return onStop(reported, event.visit_id, () => ({ report: { ...report, id: event.id, made_at: event.made_at } }));
  },
  late: (day, { body }) => progressed(day, { after: body.after ?? "", leave_at: Date.parse(body.leave_at) ? body.leave_at : null }),
  finish: (day, { body }) => progressed(day, { finish_by: body.by ?? null }),
  cancelled: (day, event) => leftOut(day, event, (stop) => stop.visit_id === event.visit_id, "The customer called it off"),
  skipped: (day, event) => leftOut(day, event, (stop) => stop.visit_id === event.visit_id, "Skipped"),
  sick(day, event) {
    const sick = event.body.sick ?? true;
    const told = progressed(day, { sick });
    return sick ? leftOut(told, event, (stop) => !isOver(stop), "You are sick") : back(told, (entry) => entry.because === "sick");
  },
  restored: (day, event) => back(day, (entry) => entry.visit_id === event.visit_id, event),
  added(day, event, document) {
    const is = ({ visit_id }) => visit_id === event.visit_id;
    if (day.left_out.some(is)) return ACTS.restored(day, event);
    const known = document.customers.find(is);
    if (!known || day.stops.some(is)) return day;
    return renumbered({ ...day, stops: [...day.stops, addedStop(known, event)] });
  },
  order(day, { body }) {
    if (!Array.isArray(body.order)) return day;
    const place = new Map(body.order.map((id, at) => [id, at]));
    const moves = day.stops.filter((stop) => place.has(stop.visit_id) && !isOver(stop));
    const sorted = [...moves].sort((one, other) => place.get(one.visit_id) - place.get(other.visit_id));
    const stops = day.stops.map((stop) => (moves.includes(stop) ? { ...sorted.shift(), moved: true } : stop));
    return renumbered(progressed({ ...day, stops }, { order: body.order }));
  },
  settled: (day) => day,
};

const STATEMENTS = new Set(["late", "cancelled", "skipped", "sick", "restored", "added", "order"]);

/**
 * The document as the phone shows it. Pure, and never fails: a day that nothing can be made of is shown as the server
 * said it, `unshown`, with a note.
 *
 * @param document of the server.
 * @param rows of the queue, {event, answer, refused}; what was refused is not shown as done.
 */
export function withQueue(document, rows) {
  const events = rows.filter((row) => !row.refused)
    .map(({ event, answer }) => ({ ...event, body: event.body ?? {}, waits: !answer }))
    .sort(byRank);
  if (!events.length) return document;
  const settled = new Set(events.filter(({ kind }) => kind === "settled").map(({ body }) => body.event));
  return {
    ...document,
    days: document.days.map((day) => {
      const said = events.filter((event) => event.day === day.date);
      try {
        return folded(day, said, document);
      } catch (error) {
        console.error(error);
        return { ...day, pending: said.some((event) => event.waits), note: [day.note, UNSHOWN].filter(Boolean).join(" "), unshown: true };
      }
    }),
    conflicts: document.conflicts.filter(({ id }) => !settled.has(id)),
  };
}

function byRank(one, other) {
  const [a, b] = [one, other].map((event) => Date.parse(event.made_at));
  return a - b || (one.id < other.id ? -1 : 1);
}

function folded(day, events, document) {
  if (!events.length) return day;
  let shown = day;
  for (const event of events) if (Object.hasOwn(ACTS, event.kind)) shown = ACTS[event.kind](shown, event, document);
  if (events.some(({ kind }) => STATEMENTS.has(kind))) shown = timed(shown, day);
  return { ...shown, pending: events.some((event) => event.waits) };
}

// --- one event --------------------------------------------------------------------------------------------------------

const onStop = (day, visitId, change) => ({
  ...day,
  stops: day.stops.map((stop) => (stop.visit_id === visitId ? { ...stop, ...change(stop) } : stop)),
});

const NO_VISIT = { arrived_at: null, left_at: null, dwell_minutes: null, report_id: "", disposition: null, verdict: null };

const visited = (day, event, change) =>
  onStop(day, event.visit_id, (stop) => {
    const visit = stop.visit ?? NO_VISIT;
    return { visit: { ...visit, ...change(visit) }, pending: stop.pending || event.waits };
  });

const progressed = (day, change) => ({ ...day, progress: { ...day.progress, ...change } });

const earlier = (one, other) => (one && Date.parse(one) <= Date.parse(other) ? one : other);

function dwell(arrived, left) {
  return arrived && left ? Math.max(0, Math.round((Date.parse(left) - Date.parse(arrived)) / 60_000)) : null;
}

function leftOut(day, event, goes, why) {
  const going = day.stops.filter((stop) => goes(stop) && !isOver(stop));
  if (!going.length) return day;
  const entries = going.map((stop) => ({
    ...stop,
    why: event.body.why || why,
    because: event.kind,
    promise: stop.promise && event.kind !== "cancelled" ? { ...stop.promise, call: stop.promise.call || "They expect you." } : stop.promise,
    planned: { stop, at: day.stops.indexOf(stop) },
    pending: event.waits,
  }));
  return renumbered({ ...day, stops: day.stops.filter((stop) => !going.includes(stop)), left_out: [...day.left_out, ...entries] });
}

/** What this phone has left out comes back where it was; what the server knows as left out waits for its answer. */
function back(day, comes, event) {
  const coming = day.left_out.filter((entry) => entry.planned && comes(entry));
  const stops = [...day.stops];
  for (const { planned } of [...coming].sort((one, other) => one.planned.at - other.planned.at)) stops.splice(planned.at, 0, planned.stop);
  const left = day.left_out
    .filter((entry) => !coming.includes(entry))
    .map((entry) => (comes(entry) && event ? { ...entry, pending: entry.pending || event.waits } : entry));
  return renumbered({ ...day, stops, left_out: left });
}

const addedStop = ({ visit_id, name, address, lat, lon, contact, minutes }, event) => ({
  visit_id, name, address, lat, lon, contact, minutes, kind: "due", stop: 0, why: "You added it.", pending: event.waits, moved: true,
  drive_seconds: 0, drive_metres: 0, parking_minutes: 0, arrive: null, begin: null, leave: null, late: false, deadline: null,
  rides_with: [], promise: null, hours: "", links: [], account: null, opportunity: null, last_reports: [], visit: null, report: null,
});

/** Numbers count doors: who stands at one door shares them. */
function renumbered(day) {
  let number = 0;
  return { ...day, stops: day.stops.map((stop, at, all) => {
    if (at === 0 || stop.lat !== all[at - 1].lat || stop.lon !== all[at - 1].lon) number += 1;
    return { ...stop, stop: number };
  }) };
}

// --- times ------------------------------------------------------------------------------------------------------------

/** As the crow flies; none from or to where nobody knows the place. */
export function metres(from, to) {
  const radians = Math.PI / 180;
  const north = (to.lat - from.lat) * radians;
  const east = (to.lon - from.lon) * radians * Math.cos(((to.lat + from.lat) / 2) * radians);
  return [from, to].every(({ lat }) => lat != null) ? EARTH_M * Math.hypot(north, east) : 0;
}

/** The first of these words that is a moment, in milliseconds; also one that already is. */
function momentOf(...told) {
  return told.map((one) => (typeof one === "number" ? one : Date.parse(one))).find(Number.isFinite);
}

/** The stops after what is over with times that follow from those before; nothing gets earlier but what was moved. */
function timed(day, planned) {
  const before = new Map(planned.stops.map((stop, at) => [stop.visit_id, planned.stops[at - 1]?.visit_id ?? ""]));
  const same = day.stops.length === planned.stops.length && day.stops.every((stop, at) => stop.visit_id === planned.stops[at].visit_id);
  const { after, leave_at } = day.progress;
  const passed = after ? day.stops.findIndex((stop) => stop.visit_id === after) : -1;
  const begun = momentOf(day.start.time, day.work_start, `${day.date}T09:00:00Z`);
  let free = passed < 0 ? momentOf(leave_at, begun) : begun;
  let was = momentOf(planned.start.time, planned.work_start, begun); // when the one before was to be left
  let from = day.start;
  const zone = /[+-]\d\d:\d\d$/.exec(day.work_start ?? "")?.[0] ?? "+00:00";
  const stops = day.stops.map((stop, at) => {
    const known = before.has(stop.visit_id) && before.get(stop.visit_id) === (day.stops[at - 1]?.visit_id ?? "");
    let told = stop;
    if (isOver(stop)) told = stop.leave ? stop : happened(stop, free);
    else if (at > passed || !stop.leave) told = moved(stop, free, was, from, known, day.break);
    was = momentOf(stop.leave, told.leave, was);
    const left = momentOf(told.visit?.left_at, told.leave, free);
    free = isOver(stop) && !stop.leave ? Math.max(free, left) : left; // added on the way, it may have been before these
    if (at === passed) free = momentOf(leave_at, free);
    from = stop;
    return told;
  });
  const guess = metres(from, day.end) * DETOUR;
  const home = same ? day.return_drive_seconds : Math.round(guess / METRES_A_SECOND);
  const end = Math.max(free + home * 1000, same ? momentOf(day.end.time, 0) : 0);
  return {
    ...day,
    stops,
    end: { ...day.end, time: iso(end) },
    return_drive_seconds: home,
    return_drive_metres: same ? day.return_drive_metres : Math.round(guess),
    roads: same ? day.roads : straight(day),
  };

  function iso(moment) {
    return new Date(moment + offset(zone)).toISOString().replace(/\.\d+Z$/, zone);
  }

  /** What was added on the way and is over has no plan: only when it was. */
  function happened(stop, free) {
    const left = momentOf(stop.visit.left_at, stop.visit.arrived_at, stop.report?.made_at, free);
    const came = momentOf(stop.visit.arrived_at, left);
    return { ...stop, arrive: iso(came), begin: iso(came), leave: iso(left) };
  }

  function moved(stop, free, was, from, known, rest) {
    const far = metres(from, stop) * DETOUR;
    const drive = known ? stop.drive_seconds : Math.round(far / METRES_A_SECOND);
    const pause = rest && Date.parse(rest.start) >= was && stop.arrive && Date.parse(rest.start) < Date.parse(stop.arrive)
      ? Date.parse(rest.end) - Date.parse(rest.start) : 0;
    const soonest = free + drive * 1000 + pause;
    const planned = stop.moved ? soonest : momentOf(stop.arrive, soonest);
    const arrive = Math.max(soonest, planned);
    const length = stop.begin ? Date.parse(stop.leave) - Date.parse(stop.begin) : (stop.minutes ?? 30) * 60_000;
    const open = momentOf(stop.moved ? stop.promise?.start : stop.begin, 0);
    const begin = Math.max(arrive + stop.parking_minutes * 60_000, open);
    const leave = begin + length;
    const missed = stop.promise && (stop.promise.meaning === "whole" ? leave : begin) > Date.parse(stop.promise.end);
    return {
      ...stop,
      drive_seconds: drive,
      drive_metres: known ? stop.drive_metres : Math.round(far),
      guessed: !known,
      arrive: iso(arrive), begin: iso(begin), leave: iso(leave),
      promise: missed ? { ...stop.promise, call: stop.promise.call || "You would come after the promised time." } : stop.promise,
    };
  }
}

/** Milliseconds of '+02:00'. */
function offset(zone) {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? [null, "+", "0", "0"];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function straight(day) {
  const places = [day.start, ...day.stops, day.end].filter(({ lat }) => lat != null).map(({ lat, lon }) => [lat, lon]);
  return places.slice(1).map((place, at) => [places[at], place]);
}
