// Who was let in here, and what waits to be sent of it. Read anew each time: the link may be open in two tabs, and each lets people in.

import { store } from "./scan-kept.js";

export const queue = () => store.get("queue", []);
export const payments = () => store.get("payments", []);
export const seenHere = () => store.get("seen", []);

/** How many were let in that the list of the chosen performance does not count yet. */
export const uncounted = { number: 0 };

/** TICKET was let in here; the server's list may be some seconds older when the network goes away. */
export function remember(ticket) {
  const seen = seenHere();
  if (!ticket || seen.includes(ticket)) return;
  store.set("seen", [...seen, ticket]);
  uncounted.number += 1;
}

/** The server knows of TICKETS that they are in: what is remembered here does not grow for ever. */
export function forgetSeen(tickets) {
  const known = new Set(tickets);
  const seen = seenHere();
  if (seen.some((each) => known.has(each))) store.set("seen", seen.filter((each) => !known.has(each)));
}

/** Keep SCAN until it is sent. */
export const enqueue = (scan) => store.set("queue", [...queue(), scan]);

/** BATCH was sent, and waits no more. */
export const dequeue = (batch) => store.set("queue", queue().filter(isNotIn(batch)));

/** Whether what a code and a time name is not one of BATCH. */
export function isNotIn(batch) {
  const names = new Set(batch.map(({ code, at }) => `${at} ${code}`));
  return ({ code, at }) => !names.has(`${at} ${code}`);
}
