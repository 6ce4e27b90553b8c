// What a rep does with one tap, as events for the server.

import { newId } from "field/store.js";

const POSITION_MS = 8_000;
const arriving = new Set();

export const say = (ctx, day, kind, visitId = "", body = {}) =>
  ctx.sync.enqueue([{ kind, day: day.date, visit_id: visitId, body, base: day.revision }]);

/** Where the phone is, asked once; nothing where it does not say within eight seconds, or may not. */
function position() {
  if (!navigator.geolocation) return Promise.resolve({});
  return new Promise((resolve) => {
    const nowhere = () => resolve({});
    // The browser's own time limit does not run while it asks for permission.
    setTimeout(nowhere, POSITION_MS);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lat: coords.latitude, lon: coords.longitude, accuracy_m: coords.accuracy }),
      nowhere,
      { enableHighAccuracy: true, timeout: POSITION_MS, maximumAge: 0 },
    );
  });
}

export const checkingIn = (stop) => arriving.has(stop.visit_id);

const ARRIVING = "arriving:";

/**
 * One tap at the door. It is never refused: without a position the check-in is unverified. The moment is that of the tap,
 * and it is on the disk before the position is: whoever closes the app meanwhile has checked in all the same.
 */
export async function checkIn(ctx, day, stop) {
  if (arriving.has(stop.visit_id)) return;
  arriving.add(stop.visit_id);
  const key = `${ARRIVING}${day.date}:${stop.visit_id}`;
  const made_at = ctx.store.moment();
  ctx.refresh();
  try {
    const event = { id: newId(), made_at, kind: "arrived", day: day.date, visit_id: stop.visit_id, base: day.revision };
    const where = position();
    await ctx.store.keepDraft(key, { rep: ctx.document.rep.id, area: ctx.document.area, event });
    const body = await where;
    if (!(await ctx.store.draft(key))) return; // another tab has seen to it
    await ctx.sync.enqueue([{ ...event, body }]);
    await ctx.store.keepDraft(key, null);
  } finally {
    arriving.delete(stop.visit_id);
    ctx.refresh();
  }
}

/** Check-ins that were waiting for a position when the app was closed. */
export async function finishCheckIns(store, sync, area, rep) {
  for (const { key, value } of await store.drafts()) {
    if (!key.startsWith(ARRIVING) || value.area !== area || value.rep !== rep) continue;
    const known = (await store.queue()).some((row) => row.event.id === value.event.id);
    if (!known) await sync.enqueue([value.event]);
    await store.keepDraft(key, null);
  }
}

export const leave = (ctx, day, stop) => say(ctx, day, "left", stop.visit_id);
