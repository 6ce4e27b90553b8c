"use strict";
/* Shows what the gate still asks for while somebody types. The server judges again whatever is sent. */
{
  const form = document.querySelector("[data-gate-form]");
  const gate = document.querySelector("[data-gate]");
  const open = new Set(["", "?", "-", "n/a", "tbd", "unknown", "no", "n", "none", "false", "0"]);
  const text = (name) => (form.elements[name]?.value ?? "").trim();
  const known = (name) => !open.has(text(name).toLowerCase());
  const amount = (typed) => Number(typed.replace(/[^\d.,]/g, "").replace(/[.,](?=\d{3}(?!\d))/g, "").replace(",", "."));

  const judges = {
    yes: (item) => text(item.dataset.of) === "yes",
    known: (item) => {
      const number = item.dataset.of.split(" ").filter(known).length;
      item.querySelector("[data-count]").textContent = String(number);
      return number >= Number(item.dataset.least);
    },
    value: (item) => amount(text("value")) >= Number(item.dataset.least),
    notes: () => text("notes") !== "",
  };

  function judge() {
    let missing = 0;
    for (const item of gate.querySelectorAll("[data-kind]")) {
      const met = judges[item.dataset.kind](item);
      missing += met ? 0 : 1;
      if (item.classList.contains("is-met") === met) continue;
      item.classList.toggle("is-met", met);
      item.querySelector("[data-said]").textContent = met ? "Done:" : "Missing:";
    }
    const verdict = document.querySelector("[data-verdict]");
    const said = missing ? verdict.dataset.open : verdict.dataset.met;
    if (verdict.textContent !== said) verdict.textContent = said;
  }

  if (form && gate) {
    form.addEventListener("input", judge);
    judge(); // a browser that comes back fills in what was typed before
  }
}
{
  /* Whoever has typed something is asked before leaving it. */
  const form = document.querySelector("[data-gate-form]");
  let typed = false;
  form?.addEventListener("input", () => { typed = true; });
  form?.addEventListener("submit", () => { typed = false; });
  addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });
}
