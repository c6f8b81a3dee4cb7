// The presale: who has a code buys before the sale opens to all. Pure.
import { t } from "./client.js";
import { countdown, moment } from "./format.js";

const DAY_S = 86400;

/** The presale of SALES ({opens_at, presale}) at NOW: its name, both openings, whether it is open and when comes what is next. Null without one, and once all may buy. */
export function presaleOf(sales, now) {
  const { opens_at, presale } = sales || {};
  if (!presale || !opens_at || Date.parse(opens_at) <= now) return null;
  const isOpen = Date.parse(presale.opens_at) <= now;
  return { name: presale.name, opensAt: presale.opens_at, salesAt: opens_at, isOpen, nextMs: Date.parse(isOpen ? opens_at : presale.opens_at) };
}

/** Both openings, a text for each. */
export const openings = ({ name, opensAt, salesAt }) => [t("presale_opens", { name, when: moment(opensAt) }), t("presale_general", { when: moment(salesAt) })];

/** How long it is until what is next, in days and by the clock. */
export function untilNext({ name, isOpen, nextMs }, now) {
  const seconds = Math.max(0, Math.ceil((nextMs - now) / 1000));
  const days = Math.floor(seconds / DAY_S);
  const left = `${days ? `${t("days", { count: days })} ` : ""}${clockLeft(seconds % DAY_S)}`;
  return isOpen ? t("presale_until_general", { left }) : t("presale_until", { name, left });
}

/** Seconds as 3:06:05. */
function clockLeft(seconds) {
  const hours = Math.floor(seconds / 3600);
  return `${hours}:${countdown(seconds % 3600).padStart(5, "0")}`;
}
