// Money and time in the page's language; the event's time zone, wherever the visitor is.
import { client, t } from "./client.js";

const locale = client.locale;
const timeZone = client.time_zone;
const amounts = new Intl.NumberFormat(locale);
const months = new Intl.DateTimeFormat(locale, { timeZone, year: "numeric", month: "long" });
const weekdays = new Intl.DateTimeFormat(locale, { timeZone: "UTC", weekday: "short" });
// The British would write Sept; the server writes Sep.
const shortMonths = new Intl.DateTimeFormat(locale === "en-GB" ? "en-US" : locale, { timeZone: "UTC", month: "short" });
const clocks = new Intl.DateTimeFormat(locale, { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const parts = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });

export const number = (value) => amounts.format(value);
export const won = (value) => (value === 0 ? t("free_of_charge") : t("won", { amount: amounts.format(value) }));
/** As the server writes it: 2027년 1월 10일 (일), Sun 10 Jan 2027. */
export function day(iso) {
  const key = dateKey(iso);
  return t("day", { weekday: weekday(key), day: Number(key.slice(8)), month: shortMonth(key), year: key.slice(0, 4) });
}
export const month = (iso) => months.format(new Date(iso));
export const clock = (iso) => clocks.format(new Date(iso));
export const moment = (iso) => `${day(iso)} ${clock(iso)}`;

/** The name of the event's time zone where a clock of the visitor's shows another time at ISO, else nothing. */
export function otherZone(iso) {
  const visitors = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (visitors.format(new Date(iso)) === clock(iso)) return null;
  const named = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: "long" }).formatToParts(new Date(iso));
  return named.find((part) => part.type === "timeZoneName").value;
}

/** Of a day as dateKey gives it. */
export const weekday = (key) => weekdays.format(new Date(`${key}T12:00:00Z`));
export const shortMonth = (key) => shortMonths.format(new Date(`${key}T12:00:00Z`));

/** The date in the event's time zone as 2027-01-10. */
export const dateKey = (iso) => parts.format(new Date(iso));

/** Seconds as 6:05. */
export function countdown(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
