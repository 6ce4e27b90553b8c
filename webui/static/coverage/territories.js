"use strict";
/* Territories on the coverage map, coloured by a figure, with the same as a table. */
fieldvisit.territories = (shared) => {
  const { map, page, find, fetched, keep, ask } = shared;
  const { element } = fieldvisit;
  const SHADES = 5;
  const measure = find("#measure");
  let told = null, coming = null, drawn = null;
  const layers = new Map(); // id -> what is drawn of it
  const drawing = fieldvisit.drawing ? fieldvisit.drawing(shared, { reload, showAny }) : null;

  function figure(value, unit) {
    if (value === null || value === undefined) return "–";
    if (unit === "share") return `${Math.round(value * 100)} %`;
    const digits = unit === "hours" || unit === "visits" ? Math.abs(value) < 10 ? 1 : 0 : 0;
    const number = value.toLocaleString("en-GB", { maximumFractionDigits: digits });
    return unit === "hours" ? `${number} h` : number;
  }

  /* As many different values in each class as can be; a function of a value, and of each class its shade, least and most. */
  function classes(values) {
    const known = values.filter((value) => value !== null && value !== undefined);
    const sorted = [...new Set(known)].sort((a, b) => a - b);
    const bounds = [...new Set([1, 2, 3, 4].map((part) => sorted[Math.floor((part * sorted.length) / SHADES)]))]
      .filter((bound) => bound > sorted[0]);
    const number = (value) => bounds.filter((bound) => value >= bound).length;
    const shade = (at) => (bounds.length ? Math.round((at * (SHADES - 1)) / bounds.length) : 2);
    const ranges = [...bounds.keys(), bounds.length].map((at) => {
      const within = sorted.filter((value) => number(value) === at);
      return { shade: shade(at), least: within[0], most: within.at(-1) };
    });
    return { of: (value) => (value === null || value === undefined ? "none" : shade(number(value))), ranges: sorted.length ? ranges : [] };
  }

  async function reload() {
    told = coming = null;
    await apply();
  }

  function showAny() {
    if (ask("measure")) return;
    keep("measure", measure.options[1].value);
    apply();
  }

  async function apply() {
    const key = ask("measure");
    measure.value = key;
    if (measure.value) find("[data-part=territories]").open = true;
    if (!key || !measure.value) {
      clear();
      return;
    }
    told ??= await (coming ??= fetched(page.dataset.territories));
    coming = null;
    if (told && measure.value === key) draw(key);
  }

  function clear() {
    drawn?.remove();
    drawn = null;
    layers.clear();
    find("[data-definition]").textContent = "";
    find("[data-shades]").replaceChildren();
  }

  function draw(key) {
    clear();
    const { title, definition, unit } = told.measures[key];
    find("[data-definition]").textContent = definition;
    const value = (feature) => feature.properties.figures[key];
    const shades = classes(told.features.map(value));
    drawn = L.geoJSON(told, {
      style: (feature) => ({ className: `territory shade-${shades.of(value(feature))}`, weight: 2 }),
      onEachFeature: (feature, layer) => layers.set(feature.properties.id, layer),
    }).addTo(map);
    drawn.bringToBack();
    find("[data-shades]").replaceChildren(...(told.features.length ? [legend(shades, unit), table(key, title, unit, shades)] : [element("p", "note-plain", "There are no territories yet.")]));
  }

  function key(shade) {
    const made = element("i", `shade-key shade-${shade}`);
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  function legend(shades, unit) {
    const list = element("ul", "plain shades");
    for (const { shade, least, most } of shades.ranges) {
      const item = element("li", "");
      item.append(key(shade), least === most ? figure(least, unit) : `${figure(least, unit)} – ${figure(most, unit)}`);
      list.append(item);
    }
    return list;
  }

  function table(measureKey, title, unit, shades) {
    const holder = element("div", "shade-rows");
    holder.tabIndex = 0;
    holder.setAttribute("role", "region");
    holder.setAttribute("aria-label", `${title} by territory`);
    const made = element("table", "shade-table");
    const head = made.createTHead().insertRow();
    for (const text of ["Territory", title]) {
      const cell = element("th", text === title ? "number" : "", text);
      cell.scope = "col";
      head.append(cell);
    }
    const body = made.createTBody();
    const value = ({ properties }) => properties.figures[measureKey] ?? -Infinity;
    for (const feature of [...told.features].sort((a, b) => value(b) - value(a))) {
      const { id, name, figures } = feature.properties;
      const row = body.insertRow();
      const cell = element("th", "");
      cell.scope = "row";
      const button = element("button", "");
      button.type = "button";
      button.append(key(shades.of(figures[measureKey])), element("bdi", "", name));
      button.addEventListener("click", () => {
        map.fitBounds(layers.get(id).getBounds(), { padding: [24, 24], animate: !fieldvisit.isCalm() });
        open(layers.get(id));
      });
      cell.append(button);
      row.append(cell, element("td", "number", figure(figures[measureKey], unit)));
    }
    holder.append(made);
    return holder;
  }

  function open(layer, at = layer.getBounds().getCenter()) {
    const { name, rep, figures } = layer.feature.properties;
    const { title, unit } = told.measures[measure.value];
    const content = element("div", "popup");
    const heading = element("strong", "popup-title");
    heading.append(element("bdi", "", name));
    const whose = element("p", "popup-line", rep ? "" : "Nobody’s");
    if (rep) whose.append(element("bdi", "", rep));
    content.append(heading, whose, element("p", "popup-line", `${title}: ${figure(figures[measure.value], unit)}`));
    drawing?.offer(layer, content);
    shared.popup(at, content);
  }

  measure.addEventListener("change", () => {
    keep("measure", measure.value);
    apply();
  });

  return {
    apply,
    accountsCame: (accounts) => drawing?.accountsCame(accounts),
    clicked({ sourceTarget, latlng }) {
      if (!sourceTarget?.feature?.properties?.figures) return false;
      open(sourceTarget, latlng);
      return true;
    },
  };
};
