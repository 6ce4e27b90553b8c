"use strict";
/* Where customers are and whose they are, before and after a scenario. Names become textContent. */
fieldvisit.listen = (map) => {
  const part = document.querySelector("[data-places]").closest("section");
  const told = part.querySelector("[data-told]");
  const legend = part.querySelector("[data-legend]");
  const buttons = [...part.querySelectorAll("[data-show]")];
  const SHAPES = ["circle", "diamond", "triangle", "square", "ring", "cross", "circle"];
  const MOST = SHAPES.length; // reps with a colour of their own; the others share the last
  let known = null, drawn = "after";

  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');

  /* The reps with most customers first; everybody else, and nobody, is "others". */
  function order() {
    const number = new Map();
    for (const side of [known.before, known.after]) for (const rep of side) number.set(rep, (number.get(rep) ?? 0) + 1);
    number.delete(-1);
    return [...number.keys()].sort((a, b) => number.get(b) - number.get(a)).slice(0, MOST);
  }

  function show(which) {
    drawn = which;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.show === which));
    const whose = which === "before" ? known.before : known.after;
    const kind = new Map(known.order.map((rep, at) => [rep, at]));
    const all = known.lats.keys();
    const places = which === "moved" ? [...all].filter((place) => known.before[place] !== known.after[place]) : [...all];
    map.crowd.show({ lats: known.lats, lons: known.lons, kinds: whose.map((rep) => kind.get(rep) ?? MOST), which: places });
    const many = places.length.toLocaleString("en-GB");
    told.textContent = which === "moved" ? `${many} change; the colour is of the rep who gets them.` : `${many} customers.`;
  }

  function name(rep) {
    return rep < 0 ? "nobody" : known.reps[rep];
  }

  function tell({ places, latlng }) {
    const box = document.createElement("div");
    for (const place of places.slice(0, 8)) {
      const line = box.appendChild(document.createElement("p"));
      line.className = "popup-line";
      const who = line.appendChild(document.createElement("bdi"));
      who.textContent = known.names[place];
      const [before, after] = [name(known.before[place]), name(known.after[place])];
      line.append(before === after ? `: ${after}` : `: ${before} → ${after}`);
    }
    L.popup().setLatLng(latlng).setContent(box).openOn(map);
  }

  map.on("click", ({ containerPoint }) => {
    const hit = known && map.crowd.at(containerPoint);
    if (!hit) return;
    if (hit.cluster !== undefined) map.setView(hit.latlng, hit.zoom);
    else tell(hit);
  });

  async function load() {
    const answer = await fetch(document.querySelector("[data-places]").dataset.places, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return void (told.textContent = "The customers could not be loaded. Load the page again.");
    known = await answer.json();
    known.order = order();
    map.crowd.kinds([...known.order.map((_, at) => ({ shape: SHAPES[at], colour: `--route-${at}` })), ...new Array(MOST - known.order.length).fill({ shape: "circle", colour: "--route-7" }), { shape: "circle", colour: "--route-7" }]);
    known.order.forEach((rep, at) => entry(`route-${at}`, name(rep)));
    if ([...known.before, ...known.after].some((rep) => !known.order.includes(rep))) entry("route-7", "others");
    for (const button of buttons) button.addEventListener("click", () => show(button.dataset.show));
    if (known.lats.length) {
      const corners = [[Math.min(...known.lats), Math.min(...known.lons)], [Math.max(...known.lats), Math.max(...known.lons)]];
      map.fitBounds(corners, { padding: [24, 24], maxZoom: 14, animate: false });
    }
    show(drawn);
  }

  function entry(colour, text) {
    const row = legend.appendChild(document.createElement("li"));
    const mark = row.appendChild(document.createElement("i"));
    mark.className = `swatch ${colour}`;
    row.append(" ");
    row.appendChild(document.createElement("bdi")).textContent = text;
  }

  load();
};
