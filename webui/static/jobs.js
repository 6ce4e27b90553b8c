"use strict";
/* Keeps the jobs of a page up to date: by a stream of events, or by asking now and then where there is none. */
{
  const POLL_MS = 3000;
  const list = document.querySelector("[data-jobs]");
  const rows = new Map([...list.querySelectorAll("[data-job]")].map((row) => [row.dataset.job, row]));
  let typing = false;
  document.addEventListener("input", () => { typing = true; });

  function show(told) {
    const hint = list.querySelector("[data-hint]");
    hint.hidden = !told.hint;
    hint.textContent = told.hint && told.hint[0].toUpperCase() + told.hint.slice(1) + ".";
    const active = new Map(told.jobs.map((job) => [job.id, job]));
    let left = 0;
    for (const [id, row] of rows) {
      const job = active.get(id);
      if (!job) continue;
      left += 1;
      row.dataset.state = job.state;
      row.querySelector("[data-label]").textContent = job.label;
      row.querySelector("[data-label]").classList.toggle("tag-quiet", job.state === "waiting");
      row.querySelector("[data-line]").textContent = job.line;
      row.querySelector("progress").value = job.share;
    }
    if (left === rows.size) return true;
    /* One has ended: the page made anew says what came out. What somebody is typing is not thrown away. */
    if (typing) list.querySelector("[data-stale]").hidden = false;
    else location.reload();
    return false;
  }

  async function poll() {
    try {
      const answer = await fetch(list.dataset.jobs, { headers: { Accept: "application/json" } });
      if (answer.ok && !show(await answer.json())) return;
    } catch {
      /* The server is away; ask again. */
    }
    setTimeout(poll, POLL_MS);
  }

  if (rows.size) {
    const stream = window.EventSource && new EventSource(list.dataset.events);
    if (!stream) poll();
    else {
      stream.addEventListener("progress", (event) => { if (!show(JSON.parse(event.data))) stream.close(); });
      /* A stream that ends comes again by itself; one that was refused does not. */
      stream.addEventListener("error", () => { if (stream.readyState === EventSource.CLOSED) poll(); });
      addEventListener("pagehide", () => stream.close());
    }
  }
}
