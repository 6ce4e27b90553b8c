// How values are said to a rep. The same words as webui/words.py, in the rep's own time zone.

const formats = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }));
  return formats.get(key);
}

const parts = (moment, zone, options) =>
  Object.fromEntries(format(zone, options).formatToParts(new Date(moment)).map(({ type, value }) => [type, value]));

/** '09:05' where the rep is; empty for no time. */
export function clock(moment, zone) {
  return moment ? format(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(moment)) : "";
}

/** '2026-11-30' where the rep is. */
export function dateOf(moment, zone) {
  const { year, month, day } = parts(moment, zone, { year: "numeric", month: "2-digit", day: "2-digit" });
  return `${year}-${month}-${day}`;
}

/** A day so many days later, both as '2026-11-30'. */
export function addDays(day, days) {
  const moved = new Date(`${day}T00:00:00Z`);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

/** The same day of the next month, or that month's last. */
export function addMonth(day) {
  const [year, month, date] = day.split("-").map(Number);
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month, Math.min(date, last))).toISOString().slice(0, 10);
}

export const daysBetween = (first, second) => Math.round((Date.parse(second) - Date.parse(first)) / 86_400_000);

/** 'Mon 30 Nov'. */
export function shortDay(day) {
  const said = parts(`${day}T00:00:00Z`, "UTC", { weekday: "short", day: "numeric", month: "short" });
  return `${said.weekday} ${said.day} ${said.month}`;
}

/** 'Monday 30 November'. */
export function longDay(day) {
  const said = parts(`${day}T00:00:00Z`, "UTC", { weekday: "long", day: "numeric", month: "long" });
  return `${said.weekday} ${said.day} ${said.month}`;
}

/** 'Today', 'Tomorrow', 'Yesterday', or else 'Mon 30 Nov'. */
export function nearDay(day, today) {
  return { "-1": "Yesterday", 0: "Today", 1: "Tomorrow" }[daysBetween(today, day)] ?? shortDay(day);
}

/** A reason of the planner's as a sentence begins, with days as people say them. */
export const told = (text) =>
  text.replace(/^./u, (letter) => letter.toUpperCase()).replace(/\b\d{4}-\d\d-\d\d\b/g, (day) => (Number.isNaN(Date.parse(day)) ? day : shortDay(day)));

/** To the minute: 'under 1 min', '25 min', '1 h 05'. */
export function duration(seconds) {
  if (seconds > 0 && seconds < 30) return "under 1 min";
  const minutes = Math.floor(seconds / 60 + 0.5);
  if (minutes < 60) return `${minutes} min`;
  const left = minutes % 60;
  return `${Math.floor(minutes / 60)} h${left ? ` ${String(left).padStart(2, "0")}` : ""}`;
}

/** '540 m', '2.3 km', '275 km'. */
export function distance(metres) {
  if (metres < 995) return `${Math.round(metres / 10) * 10} m`;
  return metres < 99_950 ? `${(metres / 1000).toFixed(1)} km` : `${Math.round(metres / 1000).toLocaleString("en")} km`;
}

export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

export const money = (value) => Number(value).toLocaleString("en", { minimumFractionDigits: Number(value) % 1 ? 2 : 0, maximumFractionDigits: 2 });

/** 'just now', '5 min ago', '14:05', 'Mon 30 Nov 14:05'. */
export function since(moment, now, zone) {
  const minutes = Math.floor((now - new Date(moment)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const day = dateOf(moment, zone);
  return day === dateOf(now, zone) ? clock(moment, zone) : `${shortDay(day)} ${clock(moment, zone)}`;
}

/** An order value as people type it: '1,250.50', '1.250,50', '1250' -> a number; null for nothing, NaN for nonsense. */
export function amount(typed) {
  const text = String(typed ?? "").replace(/[\s']/g, "");
  if (!text) return null;
  if (!/^\d[\d.,]*$/.test(text)) return NaN;
  const marks = text.replace(/\d/g, "");
  const last = Math.max(text.lastIndexOf("."), text.lastIndexOf(","));
  // One mark with three digits after it stands between thousands; the last of two different marks is the decimal one.
  const decimal = marks && (new Set(marks).size > 1 || (marks.length === 1 && text.length - last - 1 !== 3));
  const whole = (decimal ? text.slice(0, last) : text).replace(/[.,]/g, "");
  return Number(decimal ? `${whole}.${text.slice(last + 1)}` : whole);
}

export const KINDS = { appointment: "Promise", opportunity: "New opportunity", due: "Due", nearby: "Rides along", added: "Added" };

export const DISPOSITIONS = { met: "Met", not_in: "Not in", rescheduled: "Wants another day", refused: "Refused" };

export const SEVERITIES = { low: "Low", medium: "Medium", high: "High" };

export const NOT_KEPT = "This could not be kept on this phone, perhaps since it is full. Free some space and try again.";

/** Whether an error is the phone's that could not write something down. */
export const notKept = (error) => error instanceof DOMException;

export const DEALS = { open: "Goes on", proposed: "Proposal made", won: "Won", lost: "Lost", returned: "Back to inside sales" };

export const VERDICTS = { at_the_door: "At the door", elsewhere: "Away from their place", unverified: "Position unverified" };

export const EVENTS = {
  arrived: "Check-in", left: "Left", reported: "Report", late: "Running late", cancelled: "Cancelled", skipped: "Skipped",
  restored: "Put back", added: "Stop added", sick: "Sick", finish: "Finish by", order: "Own order", settled: "Seen",
};

/** The moment at which clocks of a zone show '16:00' on a day, as ISO in UTC. */
export function momentAt(day, time, zone) {
  const wanted = Date.parse(`${day}T${time}:00Z`);
  let moment = wanted;
  // Twice: the first guess may lie on the other side of a clock change.
  for (let round = 0; round < 2; round += 1)
    moment += wanted - Date.parse(`${dateOf(moment, zone)}T${clock(moment, zone)}:00Z`);
  return new Date(moment).toISOString();
}
