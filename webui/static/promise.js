"use strict";
/* Counts down what is left of a hold, and copies the text for the customer. */
{
  const left = document.querySelector("[data-left]");
  if (left) {
    const figure = left.querySelector("[data-figure]");
    const ends = performance.now() + Number(left.dataset.left) * 1000; // the server's seconds: clocks of browsers differ
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      figure.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      left.classList.toggle("is-short", seconds <= 60);
      if (seconds) setTimeout(tick, 1000);
      else { // what was typed stays
        left.hidden = true;
        const told = document.querySelector("[data-ran-out]");
        if (told) told.hidden = false;
        else location.reload();
      }
    };
    tick();
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) document.querySelector("[data-escape]").click();
    });
  }
  document.querySelector("[data-heading]")?.focus();

  const copy = document.querySelector("[data-copy]");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const text = document.querySelector("[data-copied]");
      await navigator.clipboard.writeText(text.value).catch(() => { text.select(); document.execCommand("copy"); });
      document.querySelector("[data-copy-said]").textContent = "Copied.";
      copy.textContent = "Copied";
    });
  }
  for (const form of document.querySelectorAll("main form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}
