"use strict";
/* On the login page: a phone that is nobody's keeps nobody's days. What was not sent, written in full or by half, stays until its writer comes back. */
document.addEventListener("submit", () => { // who logs in anew is not the one whose logging out the server has yet to hear of
  try { localStorage.removeItem("fieldvisit.logged-out"); } catch { /* denied */ }
});
(async () => {
  if (/(?:^|;\s*)(?:__Host-)?fieldvisit-who=/.test(document.cookie)) return; // their session has run out, no more
  if (!("indexedDB" in window)) return;
  for (const name of await window.caches?.keys() ?? []) if (name.startsWith("fieldvisit-")) caches.delete(name);
  const known = await indexedDB.databases?.();
  if (known && !known.some(({ name }) => name === "fieldvisit-field")) return;
  const asked = indexedDB.open("fieldvisit-field");
  asked.onupgradeneeded = () => asked.transaction.abort(); // there was none
  asked.onsuccess = () => {
    const wiping = asked.result.transaction(["documents", "meta"], "readwrite");
    for (const store of wiping.objectStoreNames) wiping.objectStore(store).clear();
    wiping.oncomplete = () => asked.result.close();
  };
})();
