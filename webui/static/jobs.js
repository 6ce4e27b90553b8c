"use strict";
/* Keeps the jobs of a page up to date: by a stream of events, or by asking now and then where there is none. */
{
  const POLL_MS = 3000;
  const list = document.querySelector("[data-jobs]");
  const rows = new Map([...list.querySelectorAll("[data-job]")].map((row) => [row.dataset.job, row]));
  let typing = false;
  document.addEventListener("input", () => { typing = true; });

  /* How a search got better: a line, and a table with the newest first. */
  function showWay(row, job) {
    const hurry = row.querySelector("[data-hurry]");
    if (hurry) hurry.hidden = !job.hurry;
    const way = row.querySelector("[data-way]");
    if (!way) return;
    way.hidden = !job.steps.length;
    way.querySelector("[data-cost]").setAttribute("points", job.line_of_cost);
    way.querySelector("[data-steps]").replaceChildren(...job.steps.map((step) => {
      const line = document.createElement("tr");
      step.forEach((text, column) => {
        const cell = line.appendChild(document.createElement(column ? "td" : "th"));
        if (!column) cell.scope = "row";
        cell.className = "numbers";
        cell.textContent = text;
      });
      return line;
    }));
  }

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
      showWay(row, job);
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
