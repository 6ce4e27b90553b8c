// The base map for when there is no signal: fetched once in full, in the background. The worker answers from it.

const CACHE = "fieldvisit-streets";
const FULL = "fieldvisit-streets-full"; // {url, at}: when the phone had no room for which
const AGAIN_MS = 24 * 3600_000;
const SPARE = 1.1; // what a phone needs of room, for each byte
const STEPS = 50; // that are shown as it comes

/** `setup` is {url, bytes} of the area's base map, or nothing; `onChange` is called as it comes. */
export function createStreets(setup, onChange) {
  const streets = {
    bytes: setup?.bytes ?? 0,
    loaded: 0,
    ready: false,

    /** Have it on the phone, unless this version already is. One tab at a time. */
    async fetch() {
      if (!setup || !("caches" in self)) return;
      const work = () => bring().catch(() => null); // the next start tries again
      await (navigator.locks ? navigator.locks.request("fieldvisit-streets", work) : work());
    },
  };

  async function bring() {
    const cache = await caches.open(CACHE);
    if (!(await cache.match(setup.url))) {
      if (!(await hasRoom())) return;
      const answer = await fetch(setup.url, { cache: "no-store" });
      if (!answer.ok) return;
      const counted = answer.body.pipeThrough(new TransformStream({
        transform(chunk, out) {
          const step = Math.floor((streets.loaded / streets.bytes) * STEPS);
          streets.loaded += chunk.byteLength;
          out.enqueue(chunk);
          if (Math.floor((streets.loaded / streets.bytes) * STEPS) > step) onChange();
        },
      }));
      await cache.put(setup.url, new Response(counted, { headers: answer.headers })).catch((error) => {
        if (error.name === "QuotaExceededError") localStorage.setItem(FULL, JSON.stringify({ url: setup.url, at: Date.now() }));
        throw error;
      });
    }
    const path = new URL(setup.url, location.href).pathname;
    for (const request of await cache.keys()) {
      const url = new URL(request.url);
      if (url.pathname === path && url.pathname + url.search !== setup.url) await cache.delete(request); // an older version
    }
    Object.assign(streets, { loaded: streets.bytes, ready: true });
    onChange();
  }

  /** Whether it fits, as far as the phone says; a day after it did not, that is tried again. */
  async function hasRoom() {
    const { url, at } = JSON.parse(localStorage.getItem(FULL) ?? "{}");
    if (url === setup.url && Math.abs(Date.now() - at) < AGAIN_MS) return false;
    const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    return quota - usage > setup.bytes * SPARE;
  }

  return streets;
}
