// What the phone keeps, in IndexedDB. Every row belongs to somebody, and nobody's store shows another one's.

import { openDB } from "idb";

export const NAME = "fieldvisit-field";

const { waits } = self.fieldvisitDeliver;

const open = () =>
  openDB(NAME, 1, {
    upgrade(db) {
      db.createObjectStore("documents", { keyPath: ["user", "area", "rep"] });
      db.createObjectStore("meta", { keyPath: ["user", "key"] });
      db.createObjectStore("drafts", { keyPath: ["user", "key"] });
      const queue = db.createObjectStore("queue", { keyPath: "seq", autoIncrement: true });
      queue.createIndex("user", "user");
    },
    blocking: (version, wanted, { target }) => target.close(), // a newer app in another tab waits
  });

/** What of somebody goes when they log out or another one comes; what they have not sent, written in full or by half, stays for them. */
const OF_A_PERSON = ["documents", "meta"];

export async function openStore(user) {
  let db = await open();

  /** Phones end connections to the database as they like: then it is opened again. */
  async function ask(work) {
    try {
      return await work(db);
    } catch (error) {
      if (error.name !== "InvalidStateError") throw error;
      db = await open();
      return work(db);
    }
  }

  async function wipe(whose) {
    await ask(async (db) => {
      const wiping = db.transaction(OF_A_PERSON, "readwrite");
      for (const name of OF_A_PERSON)
        for (const key of await wiping.objectStore(name).getAllKeys())
          if (whose(key[0])) wiping.objectStore(name).delete(key);
      await wiping.done;
    });
  }

  await wipe((other) => other !== user);
  const own = await ask((db) => db.getAllFromIndex("queue", "user", user));
  let lastMade = Math.max(0, ...own.map((row) => Date.parse(row.event.made_at)));

  /** A moment that is later than that of the event before, as of two of one moment the order is not told. */
  function momentOf(now) {
    lastMade = lastMade >= now && lastMade < now + 1000 ? lastMade + 1 : now;
    return new Date(lastMade).toISOString();
  }

  return {
    user,

    /** {document, etag, fetchedAt} of a rep's days, or nothing. */
    document: (area, rep) => ask((db) => db.get("documents", [user, area, rep])),

    /**
     * Keep what the server says, unless another tab knows it from later. What it had answered for before it was asked
     * shows in it, and leaves the queue.
     */
    async keepDocument(area, rep, document, etag, askedAt) {
      const now = Date.now();
      const after = (moment) => moment > askedAt && moment <= now; // one of the future is of a clock that was wrong
      await ask(async (db) => {
        const keeping = db.transaction(["documents", "queue"], "readwrite");
        const known = await keeping.objectStore("documents").get([user, area, rep]);
        if (!known || !after(known.fetchedAt)) keeping.objectStore("documents").put({ user, area, rep, document, etag, fetchedAt: askedAt });
        let cursor = await keeping.objectStore("queue").index("user").openCursor(user);
        for (; cursor; cursor = await cursor.continue()) {
          const { answer, area: of, event } = cursor.value;
          if (of === area && event.rep_id === rep && answer && !after(answer.at)) cursor.delete();
        }
        await keeping.done;
      });
    },

    /** Rows {seq, area, event, answer, refused} in the order in which they were made. */
    queue: () => ask((db) => db.getAllFromIndex("queue", "user", user)),

    /** The moment of an event that is made now. */
    moment: () => momentOf(Date.now()),

    /** Append events; each gets its moment, if it has none yet. Answers when they are on the disk. */
    async enqueue(area, events) {
      await ask(async (db) => {
        const adding = db.transaction("queue", "readwrite", { durability: "strict" });
        for (const event of events)
          adding.store.add({ user, area, event: { ...event, made_at: event.made_at ?? momentOf(Date.now()) }, answer: null, refused: null });
        await adding.done;
      });
    },

    /** Have a refused event sent again, or forgotten. */
    async retry(id) {
      await change(id, (row, cursor) => cursor.update({ ...row, refused: null }));
    },
    async discard(id) {
      await change(id, (row, cursor) => row.refused && cursor.delete());
    },

    meta: async (key) => (await ask((db) => db.get("meta", [user, key])))?.value,
    setMeta: (key, value) => ask((db) => db.put("meta", { user, key, value })),

    /** What is being typed, so that a call in between loses nothing. */
    drafts: () => ask((db) => db.getAll("drafts", IDBKeyRange.bound([user], [user, []]))),
    draft: async (key) => (await ask((db) => db.get("drafts", [user, key])))?.value,
    keepDraft: (key, value) => ask((db) => (value == null ? db.delete("drafts", [user, key]) : db.put("drafts", { user, key, value }))),

    /** Send what waits; see deliver.js. */
    deliver: () => ask((db) => self.fieldvisitDeliver.send(db, user)),

    /** Forget this person's days. Their unsent events and drafts stay. */
    wipe: () => wipe((other) => other === user),
  };

  async function change(id, act) {
    await ask(async (db) => {
      const changing = db.transaction("queue", "readwrite");
      let cursor = await changing.store.index("user").openCursor(user);
      for (; cursor; cursor = await cursor.continue()) if (cursor.value.event.id === id) await act(cursor.value, cursor);
      await changing.done;
    });
  }
}

export { waits };

/** Whose phone it is, as the server said when they logged in; also known without a signal. Empty for nobody's. */
export function whoseIsIt() {
  const name = location.protocol === "https:" ? "__Host-fieldvisit-who" : "fieldvisit-who"; // by https nobody else can set it
  return document.cookie.split(/;\s*/).find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}

/** A UUID; browsers make one themselves only on pages that came by https. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
