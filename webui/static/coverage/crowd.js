"use strict";
/* Thousands of places on one canvas. Near ones are drawn as a ring that shows of what kinds they are; a click tells
   which places it means. Kinds differ by colour and by shape. Names never come here: places are numbers. */
fieldvisit.crowd = (() => {
  const MOST_KINDS = 8;
  const CLUSTERED_TO = 15; // beyond this zoom each place stands for itself
  const PADDING = 0.25; // of the map's size, drawn beyond each edge so that moving shows something
  const HIT_PX = 14; // half of what a finger needs; clusters are larger
  const SAME_PX = 4; // places as near as this are one click's
  const STILL = 40; // so many colours are remembered; see colour()
  const dark = matchMedia("(prefers-color-scheme: dark)");

  /* Each draws a shape of radius r round 0, 0. What stands out is larger and pointed. */
  const SHAPES = {
    circle: (to, r) => to.arc(0, 0, r, 0, 2 * Math.PI),
    diamond: (to, r) => outline(to, [[0, -1.2 * r], [1.2 * r, 0], [0, 1.2 * r], [-1.2 * r, 0]]),
    triangle: (to, r) => outline(to, [[0, -1.35 * r], [1.3 * r, 0.9 * r], [-1.3 * r, 0.9 * r]]),
    square: (to, r) => outline(to, [[-r, -r], [r, -r], [r, r], [-r, r]]),
    ring: (to, r) => { to.arc(0, 0, r, 0, 2 * Math.PI); to.arc(0, 0, r * 0.45, 2 * Math.PI, 0, true); },
    cross: (to, r) => outline(to, [[-1, -3], [1, -3], [1, -1], [3, -1], [3, 1], [1, 1], [1, 3], [-1, 3], [-1, 1],
      [-3, 1], [-3, -1], [-1, -1]].map(([x, y]) => [x * r * 0.4, y * r * 0.4])),
  };

  function outline(to, corners) {
    to.moveTo(...corners[0]);
    for (const corner of corners.slice(1)) to.lineTo(...corner);
    to.closePath();
  }

  const Crowd = L.Layer.extend({
    /* `quiet` ones lie under the others, with small discs in place of rings. */
    initialize({ quiet = false } = {}) {
      this._quiet = quiet;
      this._kinds = [];
      this._places = { lats: [], lons: [], which: [] };
      this._index = null;
      this._drawn = [];
    },

    onAdd(map) {
      map.crowd ??= this; // the one that Folium puts there; scripts may add more of their own
      const name = this._quiet ? "quiet-crowd" : "crowd";
      const pane = map.getPane(name) ?? map.createPane(name);
      pane.style.zIndex = this._quiet ? 440 : 450;
      pane.style.pointerEvents = "none";
      this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-animated", pane);
      this._canvas.setAttribute("aria-hidden", "true");
      dark.addEventListener("change", this._recolour = () => { this._colours = null; this._draw(); });
      this._draw();
    },

    onRemove() {
      this._canvas.remove();
      dark.removeEventListener("change", this._recolour);
    },

    getEvents() {
      return { moveend: this._draw, resize: this._draw, zoomanim: this._animate };
    },

    /* What kinds of places there are, in the order in which a ring shows them: `{shape, colour}`, the colour as the
       name of a property of our style sheet. */
    kinds(kinds) {
      this._kinds = kinds.slice(0, MOST_KINDS);
      this._colours = null;
      return this;
    },

    /* Where they are, of what kind each is, and the numbers of those to show. */
    show({ lats, lons, kinds, which }) {
      this._places = { lats, lons, which };
      const tallies = this._kinds.map((_, kind) => `k${kind}`);
      const index = new Supercluster({
        radius: 60, extent: 256, maxZoom: CLUSTERED_TO, minPoints: 3,
        map: ({ kind }) => Object.fromEntries(tallies.map((tally, at) => [tally, at === kind ? 1 : 0])),
        reduce: (sum, more) => { for (const tally of tallies) sum[tally] += more[tally]; },
      });
      index.load(Array.from(which, (place) => ({
        type: "Feature",
        geometry: { type: "Point", coordinates: [lons[place], lats[place]] },
        properties: { place, kind: kinds[place] },
      })));
      this._index = index;
      this._draw();
    },

    /* What a click at a point of the container means: `{cluster, zoom, latlng}`, `{places, latlng}` or null. */
    at(point) {
      let best = null, least = Infinity;
      for (const one of this._drawn) {
        const away = one.at.distanceTo(point);
        if (away <= Math.max(one.radius, HIT_PX) && away < least) [best, least] = [one, away];
      }
      if (!best) return null;
      if (best.cluster !== undefined) return { cluster: best.cluster, zoom: this._index.getClusterExpansionZoom(best.cluster), latlng: best.latlng };
      const here = this._drawn.filter((one) => one.place !== undefined && one.at.distanceTo(best.at) <= SAME_PX);
      return { places: here.map((one) => one.place), latlng: best.latlng };
    },

    /* The numbers of the places that are shown within the map's edges. */
    inView() {
      const { lats, lons, which } = this._places;
      const bounds = this._map.getBounds();
      return Array.from(which).filter((place) => bounds.contains([lats[place], lons[place]]));
    },

    _animate({ center, zoom }) {
      const scale = this._map.getZoomScale(zoom, this._zoom);
      const offset = this._map._latLngToNewLayerPoint(this._corner, zoom, center);
      L.DomUtil.setTransform(this._canvas, offset, scale);
    },

    _draw() {
      const map = this._map;
      if (!map || !this._canvas) return;
      const size = map.getSize(), edge = size.multiplyBy(PADDING).round();
      const [width, height] = [size.x + 2 * edge.x, size.y + 2 * edge.y];
      const dots = Math.min(devicePixelRatio || 1, 2);
      const canvas = this._canvas;
      const origin = map.containerPointToLayerPoint(edge.multiplyBy(-1));
      this._corner = map.layerPointToLatLng(origin);
      this._zoom = map.getZoom();
      canvas.width = width * dots;
      canvas.height = height * dots;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      L.DomUtil.setTransform(canvas, origin, 1);
      this._drawn = [];
      if (!this._index) return;
      const to = canvas.getContext("2d");
      const whole = L.bounds([0, 0], size);
      const from = map.containerPointToLatLng(edge.multiplyBy(-1));
      const end = map.containerPointToLatLng(size.add(edge));
      const found = this._index.getClusters([from.lng, end.lat, end.lng, from.lat], Math.floor(this._zoom));
      // Singles first: a ring counts more than what happens to lie under it.
      found.sort((a, b) => (a.properties.cluster ? 1 : 0) - (b.properties.cluster ? 1 : 0) || a.properties.kind - b.properties.kind);
      const radius = Math.max(4.5, Math.min(8, this._zoom - 8)) * (this._quiet ? 0.75 : 1);
      for (const { geometry, properties } of found) {
        const latlng = L.latLng(geometry.coordinates[1], geometry.coordinates[0]);
        const at = map.latLngToContainerPoint(latlng);
        to.setTransform(dots, 0, 0, dots, (at.x + edge.x) * dots, (at.y + edge.y) * dots);
        const one = { at, latlng };
        if (properties.cluster) {
          one.cluster = properties.cluster_id;
          one.radius = this._quiet ? this._disc(to, properties) : this._ring(to, properties);
        } else {
          one.place = properties.place;
          one.radius = radius;
          this._dot(to, properties.kind, radius);
        }
        if (whole.contains(at)) this._drawn.push(one);
      }
      this.fire("drawn", { things: found.length });
    },

    _dot(to, kind, radius) {
      const { shape, colour } = this._kinds[kind];
      to.beginPath();
      SHAPES[shape](to, radius);
      to.lineWidth = 3;
      to.lineJoin = "round";
      to.strokeStyle = this._colour("--casing");
      to.stroke();
      to.fillStyle = this._colour(colour);
      to.fill();
    },

    /* A ring that begins at twelve o'clock with the first kind, and the number within. */
    _ring(to, properties) {
      const number = properties.point_count;
      const radius = Math.min(13 + 3 * Math.log10(number) ** 1.5, 26);
      const thick = 6;
      to.beginPath();
      to.arc(0, 0, radius + 1.5, 0, 2 * Math.PI);
      to.fillStyle = this._colour("--casing");
      to.fill();
      let from = -Math.PI / 2;
      to.lineWidth = thick;
      this._kinds.forEach(({ colour }, kind) => {
        const share = properties[`k${kind}`] / number;
        if (!share) return;
        const until = from + share * 2 * Math.PI;
        to.beginPath();
        to.arc(0, 0, radius - thick / 2, from, until);
        to.strokeStyle = this._colour(colour);
        to.stroke();
        if (share < 1) { // a gap, for whom the colours are one
          to.save();
          to.rotate(until);
          to.fillStyle = this._colour("--casing");
          to.fillRect(radius - thick, -0.75, thick, 1.5);
          to.restore();
        }
        from = until;
      });
      to.beginPath();
      to.arc(0, 0, radius - thick, 0, 2 * Math.PI);
      to.fillStyle = this._colour("--paper");
      to.fill();
      this._number(to, number, "--ink");
      return radius;
    },

    _disc(to, { point_count: number }) {
      const radius = 9 + Math.log10(number) * 2;
      to.beginPath();
      to.arc(0, 0, radius, 0, 2 * Math.PI);
      to.fillStyle = this._colour("--paper");
      to.fill();
      to.lineWidth = 2;
      to.setLineDash([3, 2]);
      to.strokeStyle = this._colour(this._kinds[0].colour);
      to.stroke();
      to.setLineDash([]);
      this._number(to, number, this._kinds[0].colour);
      return radius;
    },

    _number(to, number, colour) {
      to.fillStyle = this._colour(colour);
      to.font = `600 ${number < 1000 ? 11 : 10}px system-ui, sans-serif`;
      to.textAlign = "center";
      to.textBaseline = "middle";
      to.fillText(number < 1000 ? String(number) : `${(number / 1000).toFixed(number < 10_000 ? 1 : 0)}k`, 0, 0.5);
    },

    /* Of our style sheet, as it is in light or in dark. */
    _colour(name) {
      if (!this._colours || this._colours.size > STILL) this._colours = new Map();
      if (!this._colours.has(name)) this._colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
      return this._colours.get(name);
    },
  });

  return (options) => new Crowd(options);
})();
