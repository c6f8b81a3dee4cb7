// The server, asked with this scanner's key.

import { store } from "./scan-kept.js";

export const ASK_WITHIN_MS = 2500; // somebody stands at the door
export const SYNC_WITHIN_MS = 30000; // nobody waits, and it may be half a megabyte over a hall full of telephones

// The key comes behind the #, which no server sees, and stays in the address only where the browser keeps nothing.
const given = () => new URLSearchParams(location.hash.slice(1)).get("key");
if (given() && store.set("key", given())) history.replaceState(null, "", location.pathname);
export const key = given() ?? store.get("key", "");
addEventListener("hashchange", () => given() && location.reload()); // another link, opened in this tab

/** Whether the server said of this key that it is good no more: then nobody is let in by what was kept either. */
export const hasEnded = () => store.get("ended", "") === key;

/** The answer's JSON. Throws an error that `hasEnded` when the key is good no more, and another one when there was no answer or a bad one. */
export async function ask(method, path, body, withinMs = ASK_WITHIN_MS) {
  const answer = await fetch(path, {
    method,
    headers: { "X-Scanner-Key": key, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(withinMs),
  });
  if (answer.status === 401 && (await answer.json()).code === "scanner_key") {
    store.set("ended", key);
    throw Object.assign(new Error("key"), { hasEnded: true });
  }
  if (!answer.ok) throw new Error(String(answer.status));
  const told = await answer.json(); // a hall's own network may answer too, with a page that wants a login
  if (hasEnded()) store.set("ended", "");
  return told;
}
