// Time: this device's clock may be wrong, and may be set while the page is open.

import { store } from "./scan-kept.js";

const OFF_MS = 60000; // less is what an answer takes on its way

/** The server said that it was ASOF when this device's clock said AT. */
export function setBy(asOf, at) {
  const off = Date.parse(asOf) - at;
  store.set("clock", Math.abs(off) < OFF_MS ? 0 : off);
}

/** Now, in ms, as the server would say it. */
export const now = () => Date.now() + store.get("clock", 0);

export const moment = () => new Date(now()).toISOString();

/** A moment to measure from, in this device's own time. */
export const mark = () => ({ at: Date.now(), tick: performance.now(), page: performance.timeOrigin });

/** How many ms ago MARKED was; less than none when the clock was set back since, and nothing else tells. */
export function since({ at, tick, page }) {
  // While a device sleeps, the one may stand still; the other one goes where it is set.
  const ticked = page === performance.timeOrigin ? performance.now() - tick : Number.NEGATIVE_INFINITY;
  return Math.max(Date.now() - at, ticked);
}
