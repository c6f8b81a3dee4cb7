// Days of a month in weeks, and whether a performance can be booked. Pure.
import { presaleOf } from "./presale.js";

/** The days of MONTH (2027-01) from its first week's Sunday on; null before the first. */
export function monthGrid(month) {
  const [year, number] = month.split("-").map(Number);
  const lead = new Date(Date.UTC(year, number - 1, 1)).getUTCDay();
  const length = new Date(Date.UTC(year, number, 0)).getUTCDate();
  const days = Array.from({ length }, (_, i) => `${month}-${String(i + 1).padStart(2, "0")}`);
  return [...Array(lead).fill(null), ...days];
}

/** `open`, `presale` (open to who has a code), `called_off`, `sold_out`, `not_yet` or `over`. The server decides; before and after its word the dates explain it. */
export function stateOf(offer, now) {
  if (offer.is_called_off) return "called_off";
  if (offer.free === 0) return "sold_out";
  if (offer.on_sale) return "open";
  if (presaleOf(offer, now)?.isOpen) return "presale";
  return offer.opens_at && Date.parse(offer.opens_at) > now ? "not_yet" : "over";
}

/** Why none of OFFERS can be booked, as `state` and, where a sale is still to come, when the first `opens_at`. */
export function whyNone(offers, now) {
  const coming = offers.filter((offer) => stateOf(offer, now) === "not_yet").sort((a, b) => Date.parse(a.opens_at) - Date.parse(b.opens_at));
  if (coming.length) return { state: "not_yet", opens_at: coming[0].opens_at };
  const states = new Set(offers.map((offer) => stateOf(offer, now)));
  return { state: states.size === 1 ? [...states][0] : states.has("sold_out") ? "sold_out" : "over" };
}
