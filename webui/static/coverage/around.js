"use strict";
/* Beside the customers on the coverage map: how far a rep drives in so many minutes, and businesses that are none. */
fieldvisit.around = (shared) => {
  const { map, page, find, fetched, keep, option, ask } = shared;
  const { element } = fieldvisit;
  const base = find("#base"), white = find("[data-white]"), bands = find("[data-bands]");
  let reach = null, shownFor = "";
  let businesses = null, crowd = null;

  /* --- drive time -------------------------------------------------------------------------------------------------- */
  async function drive() {
    const rep = ask("base");
    base.value = rep;
    if (base.value) find("[data-part=driving]").open = true;
    if (rep === shownFor && reach) return;
    reach?.remove();
    reach = null;
    bands.hidden = true;
    shownFor = rep;
    if (!rep || !base.value) return;
    const told = await fetched(`${page.dataset.isochrones}?${new URLSearchParams([["rep", rep]])}`);
    if (!told || shownFor !== rep) return;
    reach = L.featureGroup([...told.features].reverse().map((feature) =>
      L.geoJSON(feature, { interactive: false, style: { className: `reach band-${feature.properties.minutes}` } })));
    const icon = L.divIcon({ className: "home reach-home", html: home(), iconSize: [26, 26] });
    reach.addLayer(fieldvisit.named(L.marker([told.base[0], told.base[1]], { icon, interactive: false, keyboard: false }), "Where the rep starts"));
    reach.addTo(map);
    reach.eachLayer((layer) => layer.getElement?.()?.setAttribute("role", "img")); // the marker, which is named
    bands.hidden = false;
  }

  function home() {
    const roof = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    roof.setAttribute("viewBox", "0 0 24 24");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", "M12 4 3 12h3v8h5v-5h2v5h5v-8h3z");
    roof.append(path);
    return roof;
  }

  /* --- white space ------------------------------------------------------------------------------------------------- */
  async function prospects() {
    const category = ask("white");
    if (!category) {
      white.value = "";
      crowd?.remove();
      find("[data-white-legend]").hidden = true;
      return;
    }
    find("[data-part=white]").open = true;
    if (!businesses) {
      businesses = await fetched(page.dataset.whiteSpace);
      if (!businesses) return;
      for (const side of ["lats", "lons"]) businesses[side] = degrees(businesses[side]);
      for (const [key, label, number] of businesses.categories) option(white, key, `${label} (${number.toLocaleString("en-GB")})`);
    }
    white.value = category;
    if (!white.value) return;
    crowd ??= fieldvisit.crowd({ quiet: true }).kinds([{ shape: "cross", colour: "--cover-business" }]);
    crowd.addTo(map);
    const keys = businesses.categories.map(([key]) => key);
    const { lats, lons } = businesses;
    const which = [...lats.keys()].filter((at) => category === "all" || keys[businesses.category[at]] === category);
    crowd.show({ lats, lons, kinds: new Uint8Array(lats.length), which });
    find("[data-white-legend]").hidden = false;
    find("[data-count=white]").textContent = which.length.toLocaleString("en-GB");
  }

  function degrees(steps) {
    let sum = 0;
    return Float64Array.from(steps, (step) => (sum += step) / 1e5);
  }

  function business(at) {
    const content = element("div", "popup-customer");
    const title = element("strong", "popup-title");
    title.append(element("bdi", "", businesses.names[at]));
    content.append(title, element("p", "popup-line", businesses.categories[businesses.category[at]][1]));
    if (businesses.addresses[at]) content.append(element("p", "popup-line", businesses.addresses[at]));
    return content;
  }

  base.addEventListener("change", () => {
    keep("base", base.value);
    drive();
  });
  white.addEventListener("change", () => {
    keep("white", white.value);
    prospects();
  });

  return {
    apply() {
      drive();
      prospects();
    },
    accountsCame({ reps }) {
      for (const [id, name] of reps) if (id) option(base, id, name);
      drive();
    },
    clicked({ containerPoint }) {
      const hit = crowd?._map ? crowd.at(containerPoint) : null;
      if (!hit) return false;
      if (hit.cluster !== undefined) map.setView(hit.latlng, hit.zoom);
      else {
        const content = element("div", "popup");
        content.append(...hit.places.map(business));
        shared.popup(hit.latlng, content);
      }
      return true;
    },
  };
};
