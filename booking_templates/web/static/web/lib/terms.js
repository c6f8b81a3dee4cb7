// What cancelling costs, in words: the policy before buying and at an order, and which performances were called off.
import { api } from "./api.js";
import { t } from "./client.js";
import { h } from "./dom.js";
import { dateKey, day, moment, won } from "./format.js";

const asked = new Map();

/**
 * What the ticket service says of cancelling, for everybody or for the order ORDER, by the policy that it was bought under; null while
 * it does not answer. Asked once a page unless ANEW.
 */
export function readTerms({ order = null, anew = false } = {}) {
  const path = order ? `/api/ticket/orders/${encodeURIComponent(order)}/terms` : "/api/ticket/terms";
  if (anew || !asked.has(path)) {
    const answer = api("GET", path, { timeoutMs: 5000 }).then(
      ({ body }) => body,
      () => null,
    );
    asked.set(path, answer);
  }
  return asked.get(path);
}

export const calledOff = (terms) => new Set((terms?.performances || []).filter((each) => each.is_called_off).map((each) => each.id));

const DAY_MS = 24 * 3600 * 1000;
const dayNumber = (iso) => Math.round(Date.parse(`${dateKey(iso)}T00:00:00Z`) / DAY_MS);

/**
 * The tiers of POLICY that still come for a performance (starts_at, until), in the order in which they come, as {daysBefore, tier};
 * daysBefore is null for the last: it goes on until cancelling ends. Pure.
 */
export function tiersAhead(policy, performance, now) {
  const tiers = [...policy.tiers].sort((a, b) => b.days_before - a.days_before);
  const startsOn = dayNumber(performance.starts_at);
  const left = startsOn - dayNumber(now);
  const least = startsOn - dayNumber(performance.until);
  // A tier is over when fewer days are left than it names (the last goes on); it never comes when cancelling ends before its first day.
  const ahead = tiers.filter((tier, at) => (at === tiers.length - 1 || tier.days_before <= left) && (at === 0 || tiers[at - 1].days_before > least));
  return ahead.map((tier, at) => ({ daysBefore: at === ahead.length - 1 ? null : tier.days_before, tier }));
}

function fee({ percent, flat_krw, flat_max_percent }) {
  if (percent && flat_krw) return t("terms_fee_both", { percent, amount: won(flat_krw) });
  if (flat_krw) return flat_max_percent < 100 ? t("terms_fee_flat_most", { percent: flat_max_percent, amount: won(flat_krw) }) : t("terms_fee_flat", { amount: won(flat_krw) });
  return percent ? t("terms_fee_percent", { percent }) : t("terms_fee_none");
}

const length = (hours) => (hours > 24 && hours % 24 === 0 ? t("days", { count: hours / 24 }) : t("hours", { count: hours }));
const lastDay = (startsAt, days) => day(new Date(Date.parse(startsAt) - days * DAY_MS).toISOString());

/** The rules for one performance as a list for a page; ISPAID is false where nothing is paid in advance. */
export function termsList(terms, performanceId, { isPaid = true, now = new Date().toISOString() } = {}) {
  const performance = terms?.performances.find((each) => each.id === performanceId);
  if (!performance) return h("p", {}, t("terms_down"));
  if (performance.is_called_off) return h("p", {}, t("called_off_text"));
  if (Date.parse(performance.until) <= Date.parse(now)) return h("p", {}, t("terms_over"));
  const { policy } = terms;
  const end = h("p", { "data-testid": "cancel-until" }, t("cancel_until", { when: moment(performance.until) }));
  if (!isPaid || !policy.tiers.length) return h("div", { "data-testid": "terms" }, end, h("p", {}, t("terms_free")));
  const rows = tiersAhead(policy, performance, now).map(({ daysBefore, tier }) =>
    h("div", {}, h("dt", {}, t("terms_until", { when: daysBefore === null ? moment(performance.until) : lastDay(performance.starts_at, daysBefore) })), h("dd", {}, fee(tier))),
  );
  const { free } = policy;
  const first = free && h("p", {}, free.min_days_before ? t("terms_free_first", { time: length(free.within_hours), days: t("days", { count: free.min_days_before }) }) : t("terms_free_first_always", { time: length(free.within_hours) }));
  return h("div", { "data-testid": "terms" }, end, h("p", {}, t("terms_fee")), h("dl", { class: "facts facts--wide" }, rows), first);
}
