"use strict";
/* The page of a call: addresses are completed while somebody types, times appear as soon as there is enough to ask for
   them, and everything is done by clicks or by keyboard alone. Without scripts the form asks for a page. */
{
  const book = document.querySelector("[data-book]");
  const form = document.getElementById("ask");
  const input = form.elements.address;
  const holder = book.querySelector("[data-times]");
  const said = book.querySelector("[data-said]");
  const map = typeof fieldvisit === "undefined" ? null : fieldvisit.times;
  const SETTLING_MS = 350;
  let timesTimer = 0, loading = null, view = "list", waitsForBest = false;

  const say = (text) => { if (said.textContent !== text) said.textContent = text; };

  /* --- addresses ------------------------------------------------------------------------------------------------- */
  const suggestions = completeAddresses(input, document.getElementById("suggestions"), book.dataset.addresses, {
    first: true,
    taken(found) {
      input.value = found.text;
      form.elements.at.value = found.at;
      load();
    },
    none: () => load(),
  });
  input.addEventListener("input", () => {
    form.elements.at.value = "";
    clearTimeout(timesTimer);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || event.isComposing || !buttons().length) return;
    event.preventDefault();
    focusBest();
  });

  /* --- times ----------------------------------------------------------------------------------------------------- */
  function query() {
    const filled = [...new FormData(form)].filter(([, text]) => text !== "");
    return new URLSearchParams(filled).toString();
  }

  async function load(fresh = false) {
    clearTimeout(timesTimer);
    loading?.abort();
    const asked = query();
    if (!input.value.trim() || !form.elements.minutes.value) return;
    const mine = loading = new AbortController();
    holder.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${book.dataset.slots}?${asked}`, { signal: mine.signal });
      if (answer.redirected || !answer.ok) return location.assign(`${book.dataset.page}?${asked}`);
      holder.innerHTML = await answer.text(); // made by our own template, as the page itself is
    } catch (error) {
      if (error.name !== "AbortError") say("The server cannot be reached. Try again.");
      return;
    } finally {
      if (loading === mine) holder.setAttribute("aria-busy", "false");
    }
    history.replaceState(null, "", `${book.dataset.page}?${asked}`);
    arrived(fresh);
    if (waitsForBest) focusBest();
  }

  function arrived(fresh = false) {
    const times = holder.querySelector(".times");
    say(times.dataset.summary);
    const offers = holder.querySelector("[data-offers]");
    const colours = new Map();
    if (offers) {
      show(view);
      holder.querySelector("[data-switch]").hidden = false;
      for (const button of offers.querySelectorAll("[data-day]")) colours.set(button.dataset.day, button.dataset.colour);
      for (const [number, button] of buttons().entries()) button.tabIndex = number ? -1 : 0;
    }
    const at = times.dataset.at?.split(",").map(Number);
    map?.show(at, new Map([...colours].slice(0, 16)), book.dataset.days, fresh);
  }

  const buttons = () => [...holder.querySelectorAll("button.slot")].filter((button) => button.offsetParent);

  function focusBest() {
    const first = buttons()[0];
    waitsForBest = !first;
    first?.focus();
  }

  function show(name) {
    view = name;
    holder.querySelector("[data-offers]").dataset.view = name;
    for (const button of holder.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(button.dataset.show === name));
  }

  /* The nearest time in a direction, as it stands on the screen. */
  function next(from, key) {
    const middle = (button) => {
      const box = button.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    };
    const [x, y] = middle(from);
    const along = key === "ArrowDown" || key === "ArrowUp" ? 1 : 0;
    const sign = key === "ArrowDown" || key === "ArrowRight" ? 1 : -1;
    let best = null, least = Infinity;
    for (const button of buttons()) {
      const [dx, dy] = middle(button).map((value, i) => value - [x, y][i]);
      const [ahead, aside] = along ? [dy * sign, Math.abs(dx)] : [dx * sign, Math.abs(dy)];
      if (ahead <= 2 || (!along && aside > from.offsetHeight)) continue;
      const far = ahead + aside * (along ? 0.6 : 3);
      if (far < least) [best, least] = [button, far];
    }
    return best;
  }

  holder.addEventListener("keydown", (event) => {
    const from = event.target.closest("button.slot");
    if (!from || event.ctrlKey || event.altKey || event.metaKey) return;
    const all = buttons();
    let to = null;
    if (event.key.startsWith("Arrow")) to = next(from, event.key) ?? (event.key === "ArrowUp" && !next(from, "ArrowUp") ? input : null);
    else if (event.key === "Home") to = all[0];
    else if (event.key === "End") to = all.at(-1);
    else if (event.key === "Escape") to = input;
    else return;
    event.preventDefault();
    to?.focus();
  });
  holder.addEventListener("focusin", (event) => {
    const slot = event.target.closest("button.slot");
    if (!slot) return;
    for (const button of buttons()) button.tabIndex = button === slot ? 0 : -1;
    map?.light(slot.dataset.day);
  });
  holder.addEventListener("mouseover", (event) => {
    const slot = event.target.closest("button.slot");
    if (slot) map?.light(slot.dataset.day);
  });
  holder.addEventListener("click", (event) => {
    const shown = event.target.closest("[data-show]");
    if (shown) {
      show(shown.dataset.show);
      for (const [number, button] of buttons().entries()) button.tabIndex = number ? -1 : 0;
    }
  });
  /* Once is enough: a second press while the first is under way does nothing. */
  holder.addEventListener("submit", (event) => {
    if (holder.dataset.sent) event.preventDefault();
    holder.dataset.sent = "yes";
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    suggestions.close();
    if (!input.value.trim()) return input.focus();
    waitsForBest = true;
    if (holder.getAttribute("aria-busy") === "false" && !timesTimer && buttons().length && location.search.slice(1) === query()) focusBest();
    else load();
  });
  form.addEventListener("input", (event) => {
    waitsForBest = false;
    if (event.target === input) return;
    clearTimeout(timesTimer);
    timesTimer = setTimeout(() => { timesTimer = 0; load(); }, SETTLING_MS);
  });
  input.addEventListener("change", () => { if (!form.elements.at.value) load(); });

  const fold = book.querySelector("[data-fold]");
  fold.hidden = false;
  fold.addEventListener("click", () => {
    const open = fold.getAttribute("aria-expanded") === "false";
    fold.setAttribute("aria-expanded", String(open));
    fold.textContent = open ? "Hide the map" : "Show the map";
  });

  arrived();
  /* A browser that comes back shows what was free then. */
  addEventListener("pageshow", (event) => {
    delete holder.dataset.sent;
    if (event.persisted) load(true);
  });
}
