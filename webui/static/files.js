"use strict";
/* Says that files are too large before they are sent, since a server that refuses them may just hang up. */
for (const form of document.querySelectorAll("form[data-most-bytes]")) {
  const inputs = [...form.querySelectorAll('input[type="file"]')];
  form.addEventListener("change", (event) => {
    const bytes = inputs.flatMap((input) => [...input.files]).reduce((sum, file) => sum + file.size, 0);
    for (const input of inputs) input.setCustomValidity("");
    if (bytes <= Number(form.dataset.mostBytes)) return;
    event.target.setCustomValidity(`These files are ${(bytes / 1e6).toFixed(0)} MB together; ${form.dataset.most} are taken.`);
    event.target.reportValidity();
  });
}
