"use strict";
/* The map beside the times: where the visit is, and the days that could take it, as lines and dots without names. */
fieldvisit.listen = (map) => {
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  if (window.ResizeObserver) new ResizeObserver(() => map.invalidateSize()).observe(map.getContainer());
  const days = new Map(); // key of a day -> what is drawn of it
  let here = null;

  function prospect(at) {
    here?.remove();
    here = null;
    if (!at) return;
    const icon = L.divIcon({ className: "prospect", html: fieldvisit.element("span", "prospect-pin"), iconSize: [28, 28], iconAnchor: [14, 26] });
    here = fieldvisit.named(L.marker(at, { icon, keyboard: false, interactive: false, zIndexOffset: 1000 }), "The visit").addTo(map);
    here.getElement().setAttribute("role", "img");
  }

  function draw(told, colours) {
    for (const day of told) {
      if (days.has(day.key)) continue;
      const group = L.featureGroup();
      const colour = `route-${colours.get(day.key)}`;
      const lines = day.lines.map(fieldvisit.unpacked).filter((line) => line.length > 1);
      for (const line of lines) group.addLayer(L.polyline(line, { className: `trip ${colour}`, interactive: false, weight: 4 }));
      for (const dot of day.dots) group.addLayer(L.circleMarker(dot, { className: `trip-dot ${colour}`, interactive: false, radius: 5 }));
      days.set(day.key, group.addTo(map));
    }
  }

  fieldvisit.times = {
    /* Where, and the days to draw; those that are drawn already are not asked for again. */
    async show(at, colours, url, fresh) {
      prospect(at);
      for (const [key, group] of days) {
        if (!fresh && colours.has(key)) continue;
        group.remove();
        days.delete(key);
      }
      const missing = [...colours.keys()].filter((key) => !days.has(key));
      if (missing.length) {
        const query = new URLSearchParams(missing.map((key) => ["day", key]));
        const answer = await fetch(`${url}?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
        if (answer?.ok) draw((await answer.json()).days, colours);
      }
      const shown = L.featureGroup([...days.values(), ...(here ? [here] : [])]);
      const bounds = shown.getBounds();
      if (bounds.isValid()) map.fitBounds(bounds, { padding: [36, 36], maxZoom: 15, animate: false });
    },
    light(key) {
      for (const [other, group] of days) {
        group.eachLayer((layer) => layer.getElement()?.classList.toggle("is-lit", other === key));
        if (other === key) group.bringToFront();
      }
      map.getContainer().classList.toggle("has-lit", days.has(key));
    },
  };
};
