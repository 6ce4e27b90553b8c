// What a rep does with one tap, as events for the server.

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

/** One tap at the door. It is never refused: without a position the check-in is unverified. */
export async function checkIn(ctx, day, stop) {
  if (arriving.has(stop.visit_id)) return;
  arriving.add(stop.visit_id);
  ctx.refresh();
  try {
    await say(ctx, day, "arrived", stop.visit_id, await position());
  } finally {
    arriving.delete(stop.visit_id);
    ctx.refresh();
  }
}

export const leave = (ctx, day, stop) => say(ctx, day, "left", stop.visit_id);
