"use strict";
/* Draws what webui/maps/ sends as JSON. Every text becomes textContent: nothing a customer is called is ever markup. */
const fieldvisit = (() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const narrow = matchMedia("(max-width: 60rem)");
  const stops = new Map(); // anchor of the stop in the page's list -> its marker

  const light = {
    background: "#e3e0da", earth: "#efece6", water: "#b4d2e6", buildings: "#d5cfc6", major: "#ffffff",
    railway: "#aab0b5", boundaries: "#b0b0b0", pier: "#e2ddd5", pedestrian: "#e8e4dc", runway: "#e2e2e6",
    aerodrome: "#e4e4ea", industrial: "#e5e2e3", hospital: "#f3e2e0", school: "#f0e9d8", military: "#e6e2dc",
    park_a: "#dfe9d5", park_b: "#cfe2c2", wood_a: "#d8e4cd", wood_b: "#c6dab8", scrub_a: "#dfe8d6", scrub_b: "#dbe6d0",
    zoo: "#d8e6d6", sand: "#f1e9d0", beach: "#f1e9d0", glacier: "#f4f6f8",
    roads_label_minor: "#5f5a58", roads_label_minor_halo: "#ffffff",
    roads_label_major: "#524d4b", roads_label_major_halo: "#ffffff",
    ocean_label: "#46708c", city_label: "#3a3a3a", city_label_halo: "#f7f5f1", state_label: "#777777",
    state_label_halo: "#f7f5f1", country_label: "#777777",
  };
  const night = {
    background: "#14171b", earth: "#1b1f24", water: "#10202e", buildings: "#262b31", major: "#3d444d",
    railway: "#3a4149", boundaries: "#4a5058", pier: "#2a2f35", pedestrian: "#21262c", runway: "#2c3238",
    aerodrome: "#20252b", industrial: "#20252a", hospital: "#2a2326", school: "#26251f", military: "#24252a",
    park_a: "#1c2722", park_b: "#1d2b24", wood_a: "#1b2721", wood_b: "#1b2922", scrub_a: "#1e2623", scrub_b: "#1d2722",
    zoo: "#1e2825", sand: "#28261f", beach: "#28261f", glacier: "#22272c",
    roads_label_minor: "#a3abb4", roads_label_minor_halo: "#14171b",
    roads_label_major: "#b4bcc5", roads_label_major_halo: "#14171b",
    ocean_label: "#7fa3bd", city_label: "#d7dce2", city_label_halo: "#14171b", state_label: "#8a929b",
    state_label_halo: "#14171b", country_label: "#8a929b",
  };

  function basemap(url) {
    const holder = L.layerGroup();
    const draw = () => {
      const colours = dark.matches ? night : light;
      holder.clearLayers();
      holder.addLayer(protomapsL.leafletLayer({
        url,
        maxDataZoom: 15,
        paintRules: protomapsL.paintRules(colours),
        labelRules: protomapsL.labelRules(colours, document.documentElement.lang || "en"),
        backgroundColor: colours.background,
        attribution: '© <a href="https://www.openstreetmap.org/copyright">OpenStreetMap contributors</a>',
      }));
    };
    draw();
    dark.addEventListener("change", draw);
    return holder;
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function unpacked(numbers) {
    const points = [];
    let lat = 0, lon = 0;
    for (let i = 0; i < numbers.length; i += 2) {
      lat += numbers[i];
      lon += numbers[i + 1];
      points.push([lat / 1e5, lon / 1e5]);
    }
    return points;
  }

  function route(dataId, index) {
    const data = JSON.parse(document.getElementById(dataId).textContent)[index];
    return drawn({ ...data, legs: data.legs.map(unpacked) });
  }

  /* One day: its roads, with their direction, its stops and its ends. */
  function drawn(data) {
    const group = L.featureGroup();
    const colour = `route-${data.colour}`;
    const legs = data.legs.filter((leg) => leg.length > 1);
    for (const leg of legs) group.addLayer(L.polyline(leg, { className: "leg-casing", interactive: false, weight: 8 }));
    for (const leg of legs) group.addLayer(L.polyline(leg, { className: `leg ${colour}`, interactive: false, weight: 4 }));
    group.addLayer(arrows(legs, colour));
    for (const [lat, lon, title, hotel] of data.homes) group.addLayer(home(lat, lon, title, colour, hotel));
    for (const stop of data.stops) {
      const marker = stopMarker(stop, data.rep, colour);
      stops.set(stop.anchor, marker);
      group.addLayer(marker);
    }
    return group;
  }

  function stopMarker(stop, rep, colour) {
    const name = `Stop ${stop.number}: ${stop.title}`;
    const icon = L.divIcon({
      className: `stop stop-${stop.kind} ${colour}${stop.done ? " is-done" : ""}`,
      html: element("span", "stop-number", stop.number),
      iconSize: [26, 26],
      popupAnchor: [0, -12],
    });
    const popup = element("div", "popup");
    popup.append(element("strong", "popup-title", `${stop.number}. ${stop.title}`));
    for (const line of stop.subtitle.split("\n")) if (line) popup.append(element("div", "popup-line", line));
    popup.append(element("div", "popup-rep", rep));
    if (stop.href) {
      const open = element("a", "popup-open", "Open");
      open.href = stop.href;
      popup.append(open);
    }
    return named(L.marker(stop.at, { icon, riseOnHover: true }).bindPopup(popup, { maxWidth: 260 }), name);
  }

  function home(lat, lon, title, colour, hotel) {
    const roof = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    roof.setAttribute("viewBox", "0 0 24 24");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", hotel ? "M2 5h2v9h16v-2a3 3 0 0 0-3-3h-7v4H5v7H2zM20 16h2v4h-2zM7.5 8a2 2 0 1 1 0 4 2 2 0 0 1 0-4z" : "M12 4 3 12h3v8h5v-5h2v5h5v-8h3z");
    roof.append(path);
    const icon = L.divIcon({ className: `home ${colour}`, html: roof, iconSize: [26, 26], popupAnchor: [0, -10] });
    return named(L.marker([lat, lon], { icon }).bindPopup(element("div", "popup", title)), title);
  }

  /* Leaflet names image markers only; ours are drawn with CSS. */
  function named(marker, name) {
    marker.on("add", () => marker.getElement().setAttribute("aria-label", name));
    return marker;
  }

  /* An arrowhead half-way along every leg that is long enough on the screen to carry one. */
  function arrows(legs, colour) {
    const group = L.featureGroup(); // it has bounds, as the day's group asks of all that is in it
    const redraw = () => {
      group.clearLayers();
      for (const leg of legs) {
        const arrow = arrowhead(group._map, leg, colour);
        if (arrow) group.addLayer(arrow);
      }
    };
    group.on("add", () => {
      group._map.on("zoomend", redraw);
      redraw();
    });
    group.on("remove", () => group._map.off("zoomend", redraw));
    return group;
  }

  function arrowhead(map, leg, colour) {
    const pixels = leg.map((point) => map.project(point));
    const lengths = pixels.slice(1).map((point, i) => point.distanceTo(pixels[i]));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    if (total < 60) return null;
    let left = total / 2, i = 0;
    while (i < lengths.length - 1 && left > lengths[i]) left -= lengths[i++];
    const [from, to] = [pixels[i], pixels[i + 1]];
    const shape = element("span", "arrow-head");
    shape.style.transform = `rotate(${Math.atan2(to.y - from.y, to.x - from.x)}rad)`;
    const icon = L.divIcon({ className: `arrow ${colour}`, html: shape, iconSize: [14, 14] });
    const at = from.add(to.subtract(from).multiplyBy(left / (lengths[i] || 1)));
    return L.marker(map.unproject(at), { icon, interactive: false, keyboard: false, zIndexOffset: -1000 });
  }

  return { basemap, route, drawn, stops, element, named, unpacked, isNarrow: () => narrow.matches, isCalm: () => calm.matches };
})();
