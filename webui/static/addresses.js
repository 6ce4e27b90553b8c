"use strict";
/* Completes the street of a form as somebody types, and fills in town, postcode and place with it. Works without, too. */
for (const input of document.querySelectorAll("input[data-addresses]")) {
  const list = document.getElementById(input.dataset.list);
  const TYPING_MS = 120;
  let options = [], active = -1, timer = 0, asking = null;
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) {
    input.setAttribute(name, value);
  }

  function close() {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function activate(number) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = (number + options.length) % options.length;
    list.children[active].setAttribute("aria-selected", "true");
    list.children[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[active].id);
  }

  async function complete() {
    asking?.abort();
    asking = new AbortController();
    const typed = input.value;
    try {
      const query = new URLSearchParams({ q: typed });
      const answer = await fetch(`${input.dataset.addresses}?${query}`, { headers: { Accept: "application/json" }, signal: asking.signal });
      if (!answer.ok || typed !== input.value) return;
      options = (await answer.json()).addresses;
    } catch {
      return; // newer letters were typed, or the server is away
    }
    if (!options.length || document.activeElement !== input) return close();
    list.replaceChildren(...options.map((found, number) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${number}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.textContent = found.street ? `${found.text} …` : found.text;
      option.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
      option.addEventListener("click", () => take(number));
      return option;
    }));
    list.hidden = false;
    active = -1;
    input.setAttribute("aria-expanded", "true");
  }

  function take(number) {
    const found = options[number];
    close();
    if (found.street) {
      input.value = `${found.text} `;
      complete();
      return;
    }
    /* "Stockmann, 1 Mannerheimintie, Helsinki 00100": behind the last comma stands the town, and maybe a postcode. */
    const [, street, town] = /^(.*), ([^,]*)$/.exec(found.text) ?? [null, found.text, ""];
    const [, city, postcode] = /^(.*?)\s*((?:\S*\d\S*\s?)*)$/.exec(town);
    const parts = input.form.elements;
    input.value = street;
    if (city) parts.city.value = city;
    if (postcode) parts.postcode.value = postcode.trim();
    parts.at.value = found.at;
    input.focus();
  }

  for (const name of ["street", "city", "postcode", "country"]) {
    input.form.elements[name].addEventListener("input", () => { input.form.elements.at.value = ""; }); // it is another one
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim().length < 3) return close();
    timer = setTimeout(complete, TYPING_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") activate(active < 0 && event.key === "ArrowUp" ? -1 : active + (event.key === "ArrowDown" ? 1 : -1));
    else if (event.key === "Enter" && active >= 0) take(active);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
}
