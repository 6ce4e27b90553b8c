"use strict";
/* Completes addresses as somebody types, from the area's own gazetteer. Forms work without it, too. */

/* A field with a list of suggestions below it (the combobox of the ARIA practices guide).
   `first`: whether the first suggestion is chosen until another one is; `taken` is told of the one that is. */
const completeAddresses = (input, list, url, { first = false, least = 2, taken, none = () => {} }) => {
  const TYPING_MS = 90;
  let options = [], active = -1, timer = 0, asking = null, takesFirst = false;
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) {
    input.setAttribute(name, value);
  }

  function close() {
    clearTimeout(timer);
    timer = 0;
    takesFirst = false;
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
      const answer = await fetch(`${url}?${new URLSearchParams({ q: typed })}`, {
        headers: { Accept: "application/json" }, signal: asking.signal,
      });
      if (!answer.ok || typed !== input.value) return;
      options = (await answer.json()).addresses;
    } catch {
      return; // newer letters were typed, or the server is away
    }
    timer = 0;
    if (takesFirst && options.length && !options[0].street) return take(0);
    if (takesFirst && !options.length) none();
    takesFirst = false;
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
    if (first) activate(0);
  }

  function take(number) {
    const found = options[number];
    close();
    input.focus();
    if (found.street) {
      input.value = `${found.text} `; // the number is still to come
      complete();
    } else taken(found);
  }

  input.addEventListener("input", () => {
    takesFirst = false;
    clearTimeout(timer);
    if (input.value.trim().length < least) return close();
    timer = setTimeout(complete, TYPING_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.isComposing) return;
    if (list.hidden) {
      if (!first || key !== "Enter" || !timer) return;
      takesFirst = true; // faster than the suggestions: the first of them is meant
      complete();
    } else if (key === "ArrowDown" || key === "ArrowUp") activate(key === "ArrowDown" ? active + 1 : Math.max(active, 0) - 1);
    else if (key === "Enter" && active >= 0) take(active);
    else if (key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  return { close };
};

/* A form with a field for each part of an address. */
for (const input of document.querySelectorAll("input[data-addresses]")) {
  const parts = input.form.elements;
  completeAddresses(input, document.getElementById(input.dataset.list), input.dataset.addresses, {
    least: 3,
    taken(found) {
      /* "Stockmann, 1 Mannerheimintie, Helsinki 00100": behind the last comma stands the town, and maybe a postcode. */
      const [, street, town] = /^(.*), ([^,]*)$/.exec(found.text) ?? [null, found.text, ""];
      const [, city, postcode] = /^(.*?)\s*((?:\S*\d\S*\s?)*)$/.exec(town);
      input.value = street;
      if (city) parts.city.value = city;
      if (postcode) parts.postcode.value = postcode.trim();
      parts.at.value = found.at;
    },
  });
  for (const name of ["street", "city", "postcode", "country"]) {
    parts[name].addEventListener("input", () => { parts.at.value = ""; }); // it is another one
  }
}
