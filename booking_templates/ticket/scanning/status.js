// What the page says of itself: the network, the list that it has and how old that is, and what waits to be sent.

import { payments, queue, uncounted } from "./scan-here.js";
import { listOf } from "./scan-kept.js";
import { $, texts } from "./scan-page.js";

const OLD_MS = 10 * 60000; // from then on the age of a list is said loudly
const OF_NOW_MS = 2 * 3600000;

export function network(isThere) {
  $("network").textContent = isThere ? texts.online : texts.offline;
  counts();
}

export function counts() {
  const list = listOf($("performance").value);
  const parts = [];
  if (list) parts.push(`${list.arrived + uncounted.number} / ${list.expected} ${texts.arrived}`);
  for (const [waiting, text] of [[queue(), texts.waiting], [payments(), texts.paymentsWaiting]]) {
    if (waiting.length) parts.push(`${waiting.length} ${text}`);
  }
  $("counts").textContent = parts.join(" · ");
  age(list);
}

export const isOld = (list) => Date.now() - list.at > OLD_MS;

/** How old LIST is, by this device's clock from when it asked: that may be wrong, but runs as fast as any. */
export function ageOf(list) {
  const minutes = Math.max(0, Math.round((Date.now() - list.at) / 60000));
  const units = [["day", 2880, 1440], ["hour", 120, 60], ["minute", 0, 1]];
  const [unit, , size] = units.find(([, from]) => minutes >= from);
  const ago = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" }).format(-Math.floor(minutes / size), unit);
  return texts.listOf.replace("{time}", timeOf(list)).replace("{ago}", ago);
}

/** When LIST was made, with its day where it is not of now. */
export function timeOf(list) {
  const isOfNow = Date.now() - list.at < OF_NOW_MS;
  return new Date(list.as_of).toLocaleString([], isOfNow ? { timeStyle: "short" } : { dateStyle: "short", timeStyle: "short" });
}

function age(list) {
  const isLoud = !list || isOld(list);
  $("list").className = isLoud ? "stale" : "soft";
  $("list").textContent = !list ? texts.noListYet : [isLoud && `${texts.oldList}:`, ageOf(list)].filter(Boolean).join(" ");
}
