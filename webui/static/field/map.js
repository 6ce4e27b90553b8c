// Draws a day on the map that Folium has made the skeleton of (webui/maps/): one element, moved to where it is shown.
// `fieldvisit` and `L` are globals of the map's own scripts, static/map.js and Leaflet.

import { isOver } from "field/overlay.js";

const holder = document.getElementById("map-holder");

/** Map libraries are asked for once somebody looks at a map: a list does not wait for them. */
async function made() {
  for (const address of window.fieldMap.scripts)
    await new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${address} did not load`));
      document.head.append(script);
    });
  // Zooming to the whole area, which is how the map begins, would otherwise still be moving when the day is fitted in.
  L.Map.mergeOptions({ zoomAnimation: false });
  const map = window.fieldMap.draw();
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  return map;
}

const popup = (day, stops) => ({
  number: String(stops[0].stop),
  at: [stops[0].lat, stops[0].lon],
  title: stops.map(({ name }) => name).join(" · "),
  subtitle: stops[0].address,
  kind: stops.some(({ promise }) => promise) ? "appointment" : stops[0].kind,
  anchor: `${day.date} ${stops[0].visit_id}`,
  href: `#/stop/${day.date}/${encodeURIComponent(stops[0].visit_id)}`,
  done: stops.every(isOver),
});

/** What static/map.js draws. */
function drawing(day, rep) {
  const doors = new Map();
  for (const stop of day.stops) if (stop.lat != null) doors.set(stop.stop, [...(doors.get(stop.stop) ?? []), stop]);
  const ends = [day.start, day.end].filter((end) => end?.lat != null);
  const homes = ends.length > 1 && ends[0].lat === ends[1].lat && ends[0].lon === ends[1].lon ? ends.slice(0, 1) : ends;
  return {
    rep: rep.name,
    colour: 0,
    homes: homes.map(({ lat, lon, address, hotel }) => [lat, lon, hotel ? `${hotel}, ${address}` : address, Boolean(hotel)]),
    stops: [...doors.values()].map((stops) => popup(day, stops)),
    legs: day.roads ?? [],
  };
}

export function createMap() {
  if (!window.fieldMap) return { show: () => null };
  const element = holder.firstElementChild;
  let making = null;
  let shown = null; // {day, group}
  let fits = null; // bounds that wait until the map has a size

  function fit(map) {
    map.invalidateSize();
    if (!fits || !element.clientHeight) return;
    map.fitBounds(fits, { padding: [36, 36], maxZoom: 16, animate: false });
    map.panInsideBounds(L.latLngBounds(window.fieldMap.bounds), { animate: false }); // beyond them there are no streets
    fits = null;
  }

  async function draw(day, rep, stop) {
    making ??= made().then(
      (map) => {
        new ResizeObserver(() => fit(map)).observe(element);
        return map;
      },
      (error) => {
        making = null; // a library did not come: try again when a map is looked at again
        throw error;
      },
    );
    const map = await making;
    if (shown?.day !== day) {
      const again = shown?.day.date === day.date;
      shown?.group.remove();
      const group = fieldvisit.drawn(drawing(day, rep)).addTo(map);
      shown = { day, group, stop: again ? shown.stop : undefined, fitted: again };
    }
    const chosen = stop?.visit_id ?? "";
    if (!shown.fitted || shown.stop !== chosen) {
      const bounds = stop?.lat != null ? L.latLng(stop.lat, stop.lon).toBounds(600) : shown.group.getBounds();
      if (bounds.isValid()) fits = bounds;
      Object.assign(shown, { fitted: true, stop: chosen });
    }
    requestAnimationFrame(() => fit(map));
  }

  return {
    /** The map's element with a day on it, around one stop if there is one: put it where the map is to be. */
    show(day, rep, stop) {
      draw(day, rep, stop).catch(console.warn);
      return element;
    },
  };
}
