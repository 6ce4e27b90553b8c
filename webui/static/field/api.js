// Asks the server. Every question ends: in an answer, or in `Offline`, or in `Refused`.

const TIMEOUT_MS = 20_000;

const DAYS_BEFORE = 4; // after a weekend Thursday's and Friday's visits can still be reported

/** Nobody answered. */
export class Offline extends Error {}

/** The server said no; `status` is 401 where somebody has to log in first. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let ahead = 0; // milliseconds, by which our clock was ahead of the server's at its last answer

async function ask(address, options = {}) {
  let answer;
  try {
    answer = await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS), ...options });
  } catch (error) {
    throw new Offline(String(error));
  }
  ahead = Date.now() - Date.parse(answer.headers.get("Date")) || 0;
  if (answer.type === "opaqueredirect") throw new Refused(401, "Log in first.");
  if (answer.ok || answer.status === 304) return answer;
  const told = await answer.json().catch(() => ({}));
  // A gateway that cannot reach the server is as good as no signal.
  if ([502, 503, 504].includes(answer.status)) throw new Offline(told.detail || `status ${answer.status}`);
  throw new Refused(answer.status, told.detail || told.title || `The server answered ${answer.status}.`);
}

const json = async (answer) => answer.json().catch((error) => { throw new Offline(String(error)); });

export function createApi(area, identityAddress) {
  const base = `/api/v1/areas/${encodeURIComponent(area)}`;
  return {
    area,

    /** By how many milliseconds this phone's clock is ahead of the server's. */
    get ahead() { return ahead; },

    /** {user, reps, areas, csrf} of whoever is logged in. */
    identity: async () => json(await ask(identityAddress, { headers: { Accept: "application/json" } })),

    /** {document, etag}, or null where the one of that tag still holds. */
    async document(rep, etag) {
      const answer = await ask(`${base}/field/${encodeURIComponent(rep)}?before=${DAYS_BEFORE}`, {
        headers: { Accept: "application/json", ...(etag ? { "If-None-Match": etag } : {}) },
        cache: "no-store",
      });
      return answer.status === 304 ? null : { document: await json(answer), etag: answer.headers.get("ETag") ?? "" };
    },

    /** The repaired rest of a day, as GET …/repairs answers it. */
    repair: async (rep, day, wish) =>
      json(await ask(`${base}/repairs/${day}/${encodeURIComponent(rep)}?${new URLSearchParams(wish)}`, {
        headers: { Accept: "application/json" }, cache: "no-store",
      })),

    /** End the session. */
    async logOut() {
      const { csrf } = await this.identity();
      const answer = await fetch("/logout", { method: "POST", headers: { "X-CSRF-Token": csrf }, redirect: "manual" }).catch((error) => {
        throw new Offline(String(error));
      });
      if (answer.type !== "opaqueredirect" && !answer.ok) throw new Refused(answer.status, "Logging out did not work.");
    },
  };
}
