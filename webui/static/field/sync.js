// Keeps the phone and the server in step: the queue goes up, the document comes down.

import { Offline, Refused } from "field/api.js";
import { newId, waits } from "field/store.js";

const FIRST_RETRY_MS = 4_000;
const LONGEST_RETRY_MS = 5 * 60_000;
const REFRESH_MS = 5 * 60_000;
const CLOCK_MINUTES = 5; // that the phone's clock may be wrong by

export function createSync({ store, api, rep, onChange }) {
  const state = {
    online: true, updatedAt: null, pending: 0, conflicts: [], refused: [], needsLogin: false, otherUser: false, gone: false, sending: false,
    problem: "",
    clockOff: 0, // minutes that the phone's clock is ahead of the server's, if that is too much to overlook
  };
  const channel = "BroadcastChannel" in self ? new BroadcastChannel("fieldvisit-field") : null;
  let kept = null; // the document as it was stored: {document, etag, fetchedAt}
  let rows = []; // of the queue, of this rep
  let running = null;
  let wanted = false;
  let failures = 0;
  let timer = 0;
  let stopped = false;

  async function read() {
    kept = (await store.document(api.area, rep)) ?? null;
    const all = await store.queue();
    rows = all.filter((row) => row.area === api.area && row.event.rep_id === rep);
    state.updatedAt = kept ? new Date(kept.fetchedAt) : null;
    state.pending = all.filter(waits).length;
    state.refused = all.filter((row) => row.refused).map((row) => ({ ...row.event, message: row.refused.message }));
    state.conflicts = conflicts();
    tell();
  }

  /** Have it shown. What goes wrong in showing is told to the console, and keeps nothing from being sent. */
  function tell() {
    try {
      onChange();
    } catch (error) {
      queueMicrotask(() => { throw error; });
    }
  }

  /** Read again where there is something else to do as well, whatever becomes of this. */
  const reread = () => read().catch(failed);

  /** Those that the document lists, and those that were answered since; but for what was seen. */
  function conflicts() {
    const settled = new Set(rows.filter(({ event }) => event.kind === "settled").map(({ event }) => event.body.event));
    const listed = (kept?.document.conflicts ?? []).filter(({ id }) => !settled.has(id));
    const known = new Set([...settled, ...listed.map(({ id }) => id)]);
    const fresh = rows.filter((row) => row.answer?.outcome === "conflict" && !known.has(row.event.id));
    return [...listed, ...fresh.map(({ event, answer }) => ({
      id: event.id, kind: event.kind, visit_id: event.visit_id, day: event.day, made_at: event.made_at, message: answer.message,
      name: nameOf(event),
    }))];
  }

  function nameOf({ day, visit_id }) {
    const of = kept?.document.days.find(({ date }) => date === day);
    return [...(of?.stops ?? []), ...(of?.left_out ?? [])].find((stop) => stop.visit_id === visit_id)?.name ?? "";
  }

  /** Send and fetch, now. Whoever asks while that is going on has it done once more. */
  function now() {
    if (stopped) return running ?? Promise.resolve();
    if (running) {
      wanted = true;
      return running;
    }
    clearTimeout(timer);
    running = step().finally(() => {
      running = null;
      if (wanted) {
        wanted = false;
        now();
      }
    });
    return running;
  }

  async function step() {
    let again = true;
    try {
      again = await exchange();
    } catch (error) {
      again = failed(error);
    } finally {
      state.sending = false;
      await reread();
      failures = again ? failures + 1 : 0;
      const wait = again ? Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)) * (0.75 + Math.random() / 2) : REFRESH_MS;
      if (!stopped) timer = setTimeout(() => (again || document.visibilityState === "visible" ? now() : null), wait);
    }
  }

  /** Answers whether to try again soon. */
  async function exchange() {
    let delivered = { left: 0, again: false, problem: "" };
    if (state.pending) {
      state.sending = true;
      tell();
      delivered = await store.deliver();
      Object.assign(state, { sending: false, problem: delivered.problem, needsLogin: delivered.needsLogin });
      // Where nothing was left, another tab or the worker has sent it.
      if (!delivered.reached && delivered.left) throw new Offline("nothing was sent");
      if (delivered.sent) channel?.postMessage("changed");
    }
    await fetchDocument();
    if (stopped) return false;
    Object.assign(state, { online: true, needsLogin: false, gone: false, problem: delivered.left ? delivered.problem : "" });
    return delivered.again;
  }

  /** Whether to try again soon. Whatever it was, what waits on the phone is not given up. */
  function failed(error) {
    if (error instanceof Offline) {
      state.online = false;
      return true;
    }
    if (!(error instanceof Refused)) {
      console.error(error);
      state.problem = `Something went wrong on this phone: ${error.message || error.name}`;
      return true;
    }
    state.online = true;
    if (error.status === 401) state.needsLogin = true;
    else if (error.status === 404) state.gone = true;
    else state.problem = error.message;
    return false;
  }

  async function fetchDocument() {
    const askedAt = Date.now();
    let found = await api.document(rep, kept?.etag);
    if (!found && !kept) found = await api.document(rep); // wiped meanwhile, in another tab
    if (stopped) return;
    const document = found?.document ?? kept.document;
    if (document.user.id !== store.user) {
      state.otherUser = true; // somebody else has logged in on this phone: what they may read is not for this store
      throw new Refused(401, "Somebody else is logged in.");
    }
    const ahead = Math.round(api.ahead / 60_000);
    state.clockOff = Math.abs(ahead) > CLOCK_MINUTES ? ahead : 0;
    if (document.csrf) await store.setMeta("csrf", document.csrf);
    await store.keepDocument(api.area, rep, document, found?.etag ?? kept.etag, askedAt);
    channel?.postMessage("changed");
  }

  /** Write events down, on the disk first: {kind, day, visit_id, body}. They are sent as soon as that is possible. */
  async function enqueue(events) {
    const made = events.map(({ id = newId(), made_at, kind, day, visit_id = "", body = {}, base }) => ({
      ...(made_at && { made_at }), id, rep_id: rep, day, visit_id, kind, body, base: base ?? kept?.document.days.find(({ date }) => date === day)?.revision ?? 0,
    }));
    await store.enqueue(api.area, made);
    await reread();
    channel?.postMessage("changed");
    navigator.serviceWorker?.ready.then((registration) => registration.sync?.register("fieldvisit-send")).catch(() => null);
    failures = 0;
    now();
    return made.map(({ id }) => id);
  }

  async function start() {
    await reread();
    channel?.addEventListener("message", reread);
    addEventListener("online", now);
    addEventListener("offline", () => {
      state.online = false;
      tell();
    });
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && now());
    navigator.serviceWorker?.addEventListener("message", ({ data }) => data === "sent" && now());
    now();
  }

  /** Ask and keep nothing more: these days are no longer anybody's on this phone. */
  function stop() {
    stopped = true;
    clearTimeout(timer);
  }

  return {
    state, start, now, enqueue, stop,
    get document() { return kept?.document ?? null; },
    get rows() { return rows; },
    retry: async (id) => { await store.retry(id); await reread(); now(); },
    discard: async (id) => { await store.discard(id); await reread(); },
  };
}
