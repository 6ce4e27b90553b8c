"use strict";
/* Sends what waits on the phone, in the order in which it was made. Runs in the app and, for background sync, in its
   service worker; so it is a plain script, and is given the database.

   A row of the queue leaves it only when the server has answered for its id and a newer document shows what came of it.
   Until then it has `answer` (what became of it) or `refused` (the server did not want to hear it, and why).

   A batch that the server fails on, or does not manage in time, is sent again later by halves, down to the one event that
   it fails on: that one keeps waiting, behind all others. */
self.fieldvisitDeliver = (() => {
  const BATCH = 50;
  const TIMEOUT_MS = 30_000;
  const AGAIN = new Set([408, 409, 425, 429]); // of these no event is at fault

  const waits = (row) => !row.answer && !row.refused;

  /* Only one tab or worker sends at a time. Without locks two may, and the server takes each id once all the same. */
  const alone = (work) => (navigator.locks ? navigator.locks.request("fieldvisit-send", work) : work());

  const problem = async (answer) => {
    const told = await answer.json().catch(() => ({}));
    return told.detail || told.title || `The server answered ${answer.status}.`;
  };

  const fresh = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  let size = BATCH; // of the next batch
  const behind = new Set(); // seq of those that the server failed on when they came alone

  /* What to send next: of one area, and what failed by itself by itself again. */
  function next(waiting) {
    const rest = waiting.filter((row) => !behind.has(row.seq));
    if (!rest.length) return waiting.slice(0, 1);
    const other = rest.findIndex((row) => row.area !== rest[0].area);
    return rest.slice(0, Math.min(size, other < 0 ? rest.length : other));
  }

  /* Answers {sent, left, reached, needsLogin, again, problem}: what was done, and whether trying later makes sense. */
  async function send(db, user) {
    const result = { sent: 0, left: 0, reached: false, needsLogin: false, again: false, problem: "" };
    const passed = new Set(); // what has failed now
    let asked = false; // for a new token
    for (;;) {
      const waiting = (await db.getAllFromIndex("queue", "user", user)).filter(waits);
      result.left = waiting.length;
      const batch = next(waiting.filter((row) => !passed.has(row.seq)));
      if (!batch.length) return { ...result, again: waiting.length > 0 };
      const { area } = batch[0];
      const csrf = (await db.get("meta", [user, "csrf"]))?.value ?? "";
      let late = false;
      const answer = await post(area, csrf, batch).catch((error) => {
        late = !(error instanceof TypeError); // that is what no signal is
      });
      if (late || answer?.status >= 500) {
        if (answer) Object.assign(result, { reached: true, problem: await problem(answer) });
        size = Math.ceil(batch.length / 2);
        if (batch.length > 1) return { ...result, again: true };
        behind.add(batch[0].seq);
        if (passed.size) return { ...result, again: true }; // it fails on others too
        passed.add(batch[0].seq);
        continue;
      }
      if (!answer) return { ...result, again: true };
      result.reached = true;
      if (answer.status === 401) return { ...result, needsLogin: true };
      if (answer.status === 403) {
        const known = asked ? null : await identity(area);
        asked = true;
        if (known && known.user.id !== user) return { ...result, needsLogin: true };
        if (!known) return { ...result, problem: await problem(answer), again: true };
        await db.put("meta", { user, key: "csrf", value: known.csrf });
        continue;
      }
      if (AGAIN.has(answer.status)) return { ...result, again: true };
      if (!answer.ok) {
        const why = await problem(answer);
        if (batch.length > 1) size = 1; // which of them is it?
        else await change(db, batch[0].seq, { refused: { message: why } });
        continue;
      }
      const told = new Map(((await answer.json().catch(() => null))?.events ?? []).map((event) => [event.id, event]));
      const heard = batch.filter((row) => told.has(row.event.id));
      if (!heard.length) return { ...result, again: true };
      const at = Date.now();
      for (const row of heard) {
        const { outcome, message } = told.get(row.event.id);
        await change(db, row.seq, outcome === "refused" ? { refused: { message } } : { answer: { outcome, message, at } });
      }
      result.sent += heard.length;
      size = Math.min(BATCH, size * 2);
    }
  }

  const post = (area, csrf, batch) =>
    fetch(`/api/v1/areas/${encodeURIComponent(area)}/field-events`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf, "Idempotency-Key": fresh() },
      body: JSON.stringify({ events: batch.map((row) => row.event) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });

  /* Who is logged in now; nothing where nobody is, or nobody answers. */
  async function identity(area) {
    const answer = await fetch(`/field/${encodeURIComponent(area)}/identity.json`, { redirect: "error" }).catch(() => null);
    return answer?.ok ? answer.json() : null;
  }

  async function change(db, seq, told) {
    const changing = db.transaction("queue", "readwrite");
    const row = await changing.store.get(seq);
    if (row) await changing.store.put({ ...row, ...told });
    await changing.done;
  }

  return { send: (db, user) => alone(() => send(db, user)), waits };
})();
