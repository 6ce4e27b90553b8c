// The base map for when there is no signal: fetched once in full, in the background. The worker answers from it.

const CACHE = "fieldvisit-streets";

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
      const answer = await fetch(setup.url, { cache: "no-store" });
      if (!answer.ok) return;
      const counted = answer.body.pipeThrough(new TransformStream({
        transform(chunk, out) {
          streets.loaded += chunk.byteLength;
          out.enqueue(chunk);
          onChange();
        },
      }));
      await cache.put(setup.url, new Response(counted, { headers: answer.headers }));
    }
    const path = new URL(setup.url, location.href).pathname;
    for (const request of await cache.keys()) {
      const url = new URL(request.url);
      if (url.pathname === path && url.pathname + url.search !== setup.url) await cache.delete(request); // an older version
    }
    Object.assign(streets, { loaded: streets.bytes, ready: true });
    onChange();
  }

  return streets;
}
