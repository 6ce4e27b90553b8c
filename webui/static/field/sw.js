/* The service worker of the phone app, served at /field/sw.js behind a line that names what it keeps: `SETUP`.

   Caches: `fieldvisit-app-<version>` holds the page of each area and every file that it may ask for, all or nothing;
   `fieldvisit-streets` holds base maps, which the app itself fetches. No cache ever holds what is somebody's: that is in
   IndexedDB, by person. */
"use strict";
importScripts(...SETUP.imports);

const APP = `fieldvisit-app-${SETUP.version}`;
const STREETS = "fieldvisit-streets";
const IS_PAGE = /^\/field\/[^/]+\/$/;
const IS_STREETS = /^\/a\/[^/]+\/basemap\.pmtiles$/;
const keeps = new Set(SETUP.keeps);

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
  if (event.data?.keep) event.waitUntil(keep(event.data.keep).catch(() => null));
});
self.addEventListener("sync", (event) => {
  if (event.tag === "fieldvisit-send") event.waitUntil(send());
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (IS_STREETS.test(url.pathname)) event.respondWith(streets(request));
  else if (keeps.has(url.pathname + url.search)) event.respondWith(kept(request));
  else if (request.mode === "navigate" && IS_PAGE.test(url.pathname)) event.respondWith(page(event, url.pathname));
  else if (request.mode === "navigate" && url.pathname === "/field/") event.respondWith(fetch(request).catch(lastPage));
});

// --- keeping the app --------------------------------------------------------------------------------------------------

/* All files and the pages of every area that is open or was kept, or else no install: the version before stays. A page
   that was kept and is gone, or is no longer for this person, is left behind. */
async function install() {
  const pagesOf = (places) => places.map(({ url }) => new URL(url).pathname).filter((path) => IS_PAGE.test(path));
  const open = new Set(pagesOf(await clients.matchAll({ type: "window", includeUncontrolled: true })));
  const before = new Set();
  for (const name of await caches.keys())
    if (name.startsWith("fieldvisit-app-")) for (const path of pagesOf(await (await caches.open(name)).keys())) before.add(path);
  const had = await caches.has(APP);
  const cache = await caches.open(APP);
  try {
    await cache.addAll(SETUP.keeps);
    let loggedIn = false; // if not, pages lead to the login, and are not gone
    for (const path of open) loggedIn = (await fresh(cache, path)) || loggedIn;
    for (const path of before) if (!open.has(path)) await fresh(cache, path, loggedIn);
  } catch (error) {
    if (!had) await caches.delete(APP); // what runs under this name goes on
    throw error;
  }
}

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith("fieldvisit-app-") && name !== APP) await caches.delete(name);
  await clients.claim();
}

/* Put back what is missing, after a log-out or where the phone needed the room. */
async function keep(path) {
  const cache = await caches.open(APP);
  const missing = [];
  for (const address of SETUP.keeps) if (!(await cache.match(address))) missing.push(address);
  if (missing.length) await cache.addAll(missing);
  if (IS_PAGE.test(path) && !(await cache.match(path))) await fresh(cache, path);
}

/* The page of the server, kept if it is of this version: another one's files are not here. False if it is gone. */
async function fresh(cache, path, mayLeadAway = false) {
  const answer = await fetch(path, { cache: "no-store", redirect: "manual" });
  if ([403, 404].includes(answer.status) || (mayLeadAway && answer.type === "opaqueredirect")) {
    await cache.delete(path);
    return false;
  }
  if (!answer.ok || answer.headers.get("X-Field-Version") !== SETUP.version) throw new Error(`${path} is not of version ${SETUP.version}`);
  await cache.put(path, answer);
  return true;
}

async function kept(request) {
  const cache = await caches.open(APP);
  return (await cache.match(request)) ?? fetch(request);
}

/* The page that is kept, at once; a newer one of the same version is for the next time. */
async function page(event, path) {
  const cache = await caches.open(APP);
  const found = await cache.match(path);
  const renewed = fresh(cache, path).catch(() => null);
  event.waitUntil(renewed);
  return found ?? fetch(event.request);
}

async function lastPage() {
  const cache = await caches.open(APP);
  const pages = (await cache.keys()).map(({ url }) => new URL(url).pathname).filter((path) => IS_PAGE.test(path));
  return pages.length ? Response.redirect(pages.at(-1)) : Response.error();
}

// --- streets ----------------------------------------------------------------------------------------------------------

let held = null; // {url, blob, etag}: reading it from the cache for every tile would copy it each time

async function streets(request) {
  if (held?.url !== request.url) held = await copy(request.url).catch(() => copy(request.url)); // a busy phone may fail once
  return held ? sliced(held, request.headers.get("Range")) : fetch(request);
}

async function copy(url) {
  const found = await (await caches.open(STREETS)).match(url);
  return found ? { url, blob: await found.blob(), etag: found.headers.get("ETag") ?? "" } : null;
}

/* What a server answers a request for one range (RFC 9110, section 14). */
function sliced({ blob, etag }, asked) {
  const headers = { "Accept-Ranges": "bytes", "Content-Type": "application/vnd.pmtiles", ...(etag && { ETag: etag }) };
  const range = /^bytes=(\d*)-(\d*)$/.exec(asked ?? "");
  if (!range || (!range[1] && !range[2])) return new Response(blob, { headers: { ...headers, "Content-Length": blob.size } });
  const start = range[1] ? Number(range[1]) : Math.max(0, blob.size - Number(range[2]));
  const end = Math.min(range[1] && range[2] ? Number(range[2]) : blob.size - 1, blob.size - 1);
  if (start > end) return new Response(null, { status: 416, headers: { ...headers, "Content-Range": `bytes */${blob.size}` } });
  return new Response(blob.slice(start, end + 1), {
    status: 206,
    headers: { ...headers, "Content-Range": `bytes ${start}-${end}/${blob.size}`, "Content-Length": String(end - start + 1) },
  });
}

// --- background sync --------------------------------------------------------------------------------------------------

/* The signal is back, and the app may be closed. Everybody's events go under their own token, so never as another one's. */
async function send() {
  const db = await idb.openDB("fieldvisit-field", undefined, { upgrade: (made, from, to, making) => making.abort() }).catch((error) => {
    if (error.name !== "AbortError") throw error;
  });
  if (!db) return; // there was none
  const users = new Set((await db.getAll("queue")).filter(fieldvisitDeliver.waits).map((row) => row.user));
  let again = false;
  for (const user of users) again = (await fieldvisitDeliver.send(db, user)).again || again;
  db.close();
  for (const client of await clients.matchAll({ type: "window" })) client.postMessage("sent");
  if (again) throw new Error("not everything was sent"); // the browser tries again later
}
