// The door: which event and performances it is of, and with which keys their tickets are signed, as the server last said.

import { now } from "./scan-clock.js";
import { store } from "./scan-kept.js";
import { $, locale, texts } from "./scan-page.js";

const TODAY_MS = 12 * 3600000;

/** Null when it was never told. */
export const doorNow = () => store.get("door", null);

export const keepDoor = (door) => store.set("door", door);

const performanceOf = (id) => doorNow()?.performances.find((each) => each.id === id);
const worded = (startsAt) => new Date(startsAt).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
const isOfToday = ({ starts_at: startsAt }) => Math.abs(Date.parse(startsAt) - now()) < TODAY_MS;

/** When the performance ID begins, in words; nothing where it is the only one, or unknown. */
export function dateOf(id) {
  const found = doorNow()?.performances.length > 1 && performanceOf(id);
  return found ? worded(found.starts_at) : "";
}

/** Whether the performance ID is of another day, while there is one today. */
export function isForAnotherDay(id) {
  const found = performanceOf(id);
  return Boolean(found) && !isOfToday(found) && doorNow().performances.some(isOfToday);
}

/** Offer the door's performances for choice. */
export function performances() {
  const door = doorNow();
  $("title").textContent = door.title || document.title;
  const wanted = $("performance").value || store.get("performance", "");
  const all = [{ id: "", starts_at: null }, ...door.performances];
  const options = all.map(({ id, starts_at: startsAt }) => new Option(startsAt ? worded(startsAt) : texts.all, id, false, id === wanted));
  const before = [...$("performance").options];
  // One that is open would close under somebody's finger.
  if (options.length === before.length && options.every((each, index) => each.text === before[index].text && each.value === before[index].value)) return;
  $("performance").replaceChildren(...options);
}
