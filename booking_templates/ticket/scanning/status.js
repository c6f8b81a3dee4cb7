// What the page says of itself: the network, the list that it has and how old that is, and what waits to be sent.

import { since } from "./scan-clock.js";
import { payments, queue, uncounted } from "./scan-here.js";
import { isForgetful, listOf } from "./scan-kept.js";
import { $, locale, show, texts } from "./scan-page.js";

const OLD_MS = 10 * 60000; // from then on the age of a list is said loudly
const OF_NOW_MS = 2 * 3600000;

export function network(isThere) {
  $("network").textContent = isThere ? texts.online : texts.offline;
  counts();
}

/** The key is good no more. */
export function ended() {
  show("warn", texts.keyEnded, [queue().length || payments().length ? texts.keyEndedWaiting : ""]);
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
  $("forgetful").hidden = !isForgetful();
  age(list);
}

/** One whose age nobody knows, as the clock was set back since, is old. */
export const isOld = (list) => since(list) > OLD_MS || since(list) < 0;

/** How old LIST is, by this device's clock from when it asked: that may be wrong, but runs as fast as any. */
export function ageOf(list) {
  const minutes = Math.round(since(list) / 60000);
  const units = [["day", 2880, 1440], ["hour", 120, 60], ["minute", 0, 1]];
  const [unit, , size] = units.find(([, from]) => minutes >= from) ?? units.at(-1);
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: "always" }).format(-Math.floor(minutes / size), unit);
  return texts.listOf.replace("{time}", timeOf(list)).replace("{ago}", minutes < 0 ? "?" : ago);
}

/** When LIST was made, with its day where it is not of now. */
export function timeOf(list) {
  const isOfNow = since(list) >= 0 && since(list) < OF_NOW_MS;
  return new Date(list.as_of).toLocaleString(locale, isOfNow ? { timeStyle: "short" } : { dateStyle: "short", timeStyle: "short" });
}

function age(list) {
  const isLoud = !list || isOld(list);
  $("list").className = isLoud ? "stale" : "soft";
  $("list").textContent = !list ? texts.noListYet : [isLoud && `${texts.oldList}:`, ageOf(list)].filter(Boolean).join(" ");
}
