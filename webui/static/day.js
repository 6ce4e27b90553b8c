"use strict";
/* Ties the list of stops to the markers: the element whose id is a stop's anchor, and the button inside it. */
fieldvisit.listen = (map) => {
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  if (window.ResizeObserver) new ResizeObserver(() => map.invalidateSize()).observe(map.getContainer());
  let opener = null;

  for (const [anchor, marker] of fieldvisit.stops) {
    const item = document.getElementById(anchor);
    if (!item) continue;
    const light = (on) => marker.getElement()?.classList.toggle("is-lit", on);
    item.addEventListener("mouseenter", () => light(true));
    item.addEventListener("mouseleave", () => light(false));
    item.addEventListener("focusin", () => light(true));
    item.addEventListener("focusout", () => light(false));
    for (const button of item.querySelectorAll("button")) button.addEventListener("click", () => show(marker, button));
    marker.on("popupopen", () => {
      item.classList.add("is-shown");
      if (!fieldvisit.isNarrow()) item.scrollIntoView({ block: "nearest" });
    });
    marker.on("popupclose", () => item.classList.remove("is-shown"));
    marker.on("mouseover", () => item.classList.add("is-lit"));
    marker.on("mouseout", () => item.classList.remove("is-lit"));
  }

  function show(marker, button) {
    map.getContainer().scrollIntoView({ block: "nearest", behavior: fieldvisit.isCalm() ? "auto" : "smooth" });
    if (!marker.getElement()) return; // its layer is switched off
    map.setView(marker.getLatLng(), Math.max(map.getZoom(), 15), { animate: false }); // the popup would cut a pan short
    marker.openPopup();
    marker.getElement().focus({ preventScroll: true });
    opener = button;
  }

  map.getContainer().addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    map.closePopup();
    opener?.focus();
    opener = null;
  });
};
