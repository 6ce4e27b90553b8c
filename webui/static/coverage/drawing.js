"use strict";
/* Drawing a territory on the coverage map, and moving the corners of one; leaflet-geoman is fetched when somebody does. */
fieldvisit.drawing = (shared, { reload, showAny }) => {
  const { map, page, find, option, said } = shared;
  const bar = find("[data-draw-bar]"), form = find("[data-draw-form]");
  if (!form) return null; // they may look only
  const MOST_CORNERS = 200;
  const buttons = Object.fromEntries([...bar.querySelectorAll("[data-draw]")].map((button) => [button.dataset.draw, button]));
  let state = "idle"; // then "drawing", and "named" once it has a shape; or "moving" the corners of one that is there
  let layer = null, before = null, key = "", loading = null;
  shared.isDrawing = () => state !== "idle";

  const geoman = () => loading ??= new Promise((done, failed) => {
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: page.dataset.geomanCss });
    const script = Object.assign(document.createElement("script"), { src: page.dataset.geomanJs, onload: done, onerror: failed });
    document.head.append(style, script);
  }).then(() => {
    L.PM.reInitLayer(map); // it was there before geoman was
    map.pm.setGlobalOptions({ allowSelfIntersection: false, tooltips: false, pathOptions: { className: "territory is-chosen" } });
  }).catch((error) => {
    loading = null;
    throw error;
  });

  function go(next, text = "") {
    state = next;
    bar.hidden = next === "idle" || next === "named";
    find("[data-draw-said]").textContent = text;
    buttons.undo.hidden = next !== "drawing";
    buttons.finish.textContent = next === "moving" ? "Save the shape" : "Finish";
    form.hidden = next !== "named";
    map.getContainer().classList.toggle("is-drawing", next === "drawing");
    if (next === "idle") [layer, before] = [null, null];
    map.invalidateSize({ animate: false });
  }

  async function begin(what) {
    if (state !== "idle") return false;
    try {
      await geoman();
    } catch {
      shared.problem("What drawing needs could not be loaded. Try again.");
      return false;
    }
    key = crypto.randomUUID();
    map.closePopup();
    find(".cover-map").scrollIntoView({ block: "start" });
    return what();
  }

  function draw() {
    showAny(); // who draws wants to see what is there
    map.pm.enableDraw("Polygon", { snappable: true, snapDistance: 15, continueDrawing: false });
    go("drawing", "Tap one corner after the other, and at last the first one again.");
    bar.querySelector("button").focus();
  }

  function move(which) {
    layer = which;
    before = layer.toGeoJSON(15).geometry;
    if (!layer.pm) L.PM.reInitLayer(layer);
    layer.pm.enable({ allowSelfIntersection: false, snappable: true, removeLayerBelowMinVertexCount: false });
    layer.getElement()?.classList.add("is-chosen");
    go("moving", "Move the corners. A small one between two adds one; a long press takes one away.");
    map.fitBounds(layer.getBounds(), { padding: [32, 32], animate: false });
  }

  map.on("pm:create", (event) => {
    layer = event.layer;
    layer.pm.enable({ allowSelfIntersection: false, removeLayerBelowMinVertexCount: false });
    go("named");
    find("[data-draw-wrong]").textContent = "";
    find("#draw-name").value = "";
    form.scrollIntoView({ block: "center" });
    find("#draw-name").focus({ preventScroll: true });
  });

  function cancel() {
    if (state === "drawing") map.pm.disableDraw();
    if (state === "named") layer.remove();
    if (state === "moving") {
      layer.pm.disable();
      layer.setLatLngs(L.GeoJSON.coordsToLatLngs(before.coordinates, before.type === "MultiPolygon" ? 2 : 1));
      layer.getElement()?.classList.remove("is-chosen");
    }
    go("idle");
  }

  function finish() {
    if (state === "moving") return save(page.dataset.reshape.replace("_ID_", encodeURIComponent(layer.feature.properties.id)), { revision: layer.feature.properties.revision });
    if (map.pm.Draw.Polygon._layer.getLatLngs().length < 3) {
      find("[data-draw-said]").textContent = "It takes three corners at least.";
      return undefined;
    }
    return map.pm.Draw.Polygon._finishShape();
  }

  /* Sends what the page of territories would send; its answer is a page, which says what is wrong if anything is. */
  async function save(url, fields) {
    const sent = new FormData();
    const all = { ...fields, geometry: JSON.stringify(layer.toGeoJSON(6).geometry), key, csrf: document.querySelector("meta[name=csrf]").content };
    for (const [name, value] of Object.entries(all)) sent.set(name, value);
    const wrong = (text) => { (state === "named" ? find("[data-draw-wrong]") : find("[data-draw-said]")).textContent = text; };
    wrong("");
    const answer = await fetch(url, { method: "POST", body: sent }).catch(() => null);
    if (!answer) return wrong("The server cannot be reached. It is not saved: try again.");
    if (!answer.ok) {
      const told = new DOMParser().parseFromString(await answer.text(), "text/html");
      const why = told.querySelector("main [role=alert], main .note, main .field-hint.is-error, main p");
      return wrong(why?.textContent.replace(/\s+/g, " ").trim() || "It could not be saved.");
    }
    if (state === "named") layer.remove();
    else layer.pm.disable();
    go("idle");
    said("The territory is saved.");
    find("[data-draw-done]").hidden = false;
    await reload();
    return undefined;
  }

  find("[data-draw-new]").addEventListener("click", () => begin(draw));
  for (const button of page.querySelectorAll("[data-draw=cancel]")) button.addEventListener("click", cancel);
  buttons.undo.addEventListener("click", () => map.pm.Draw.Polygon._removeLastVertex());
  buttons.finish.addEventListener("click", finish);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!find("#draw-name").value.trim()) {
      find("[data-draw-wrong]").textContent = "A territory has a name.";
      return find("#draw-name").focus();
    }
    return save(page.dataset.draw, { name: find("#draw-name").value, rep: find("#draw-rep").value });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state !== "idle") cancel();
  });

  return {
    accountsCame({ reps }) {
      for (const [id, name] of reps) if (id) option(find("#draw-rep"), id, name);
    },
    /* In the popup of a territory: a way to change it. */
    offer(which, content) {
      if (which.feature.properties.corners > MOST_CORNERS) return;
      const button = fieldvisit.element("button", "button", "Change its shape");
      button.type = "button";
      button.addEventListener("click", () => begin(() => move(which)));
      content.append(button);
    },
  };
};
