// Concessions: what a place costs with one, who may have it, and what its terms are in words. Pure but for the texts.
import { t } from "./client.js";
import { moment, won } from "./format.js";
import { gradeLabel } from "./places.js";

/** What a place of LISTKRW costs with CONCESSION (none: the full price). A percentage is rounded down to the won, as the ticket service does. */
export function priceOf(concession, listKrw) {
  if (!concession) return listKrw;
  return concession.percent ? listKrw - Math.floor((listKrw * concession.percent) / 100) : Math.max(0, listKrw - concession.off_krw);
}

const isFor = (ids, id) => !ids?.length || ids.includes(id);
const hasBegun = (concession, now) => !concession.from || Date.parse(concession.from) <= now;

/** Whether CONCESSION is over at NOW. */
export const isOver = (concession, now) => Boolean(concession.until) && Date.parse(concession.until) <= now;

/** Those of CONCESSIONS that PLACE of the performance may be ordered with at NOW. */
export function offeredFor(concessions, place, performanceId, now) {
  if (!place.price_krw) return []; // there is nothing to take off
  return concessions.filter((each) => isFor(each.grades, place.grade) && isFor(each.performances, performanceId) && hasBegun(each, now) && !isOver(each, now));
}

/** CHOICE (place's id -> concession's id) without what is not offered for those PLACES. */
export function stillOffered(choice, concessions, places, performanceId, now) {
  const kept = places.filter((place) => offeredFor(concessions, place, performanceId, now).some((each) => each.id === choice[place.id]));
  return Object.fromEntries(kept.map((place) => [place.id, choice[place.id]]));
}

/** PLACES as an order with CHOICE would have them. */
export function chosenPlaces(places, choice, concessions) {
  return places.map((place) => {
    const found = concessions.find((each) => each.id === choice[place.id]);
    return found ? { ...place, price_krw: priceOf(found, place.price_krw), list_price_krw: place.price_krw, concession: found.name } : place;
  });
}

export const totalOf = (places) => places.reduce((sum, place) => sum + place.price_krw, 0);

/** The first concession that CHOICE has for too few places or too many, as {concession, text}; null when there is none. */
export function wrongCount(choice, concessions) {
  const ids = Object.values(choice);
  for (const concession of concessions) {
    const count = ids.filter((id) => id === concession.id).length;
    const { name, at_least: least, at_most: most } = concession;
    if (count && least && count < least) return { concession, text: t("concession_too_few", { name, count: least }) };
    if (most && count > most) return { concession, text: t("concession_too_many", { name, count: most }) };
  }
  return null;
}

/** What has to be shown at the entrance for CHOICE, each concession once. */
export function proofsOf(choice, concessions) {
  const ids = new Set(Object.values(choice));
  return concessions.filter((each) => each.proof && ids.has(each.id));
}

/** "30% off". */
export const offText = (concession) => (concession.percent ? t("concession_percent", { percent: concession.percent }) : t("concession_amount", { amount: won(concession.off_krw) }));

const DATES_MAX = 3;

/** The conditions of CONCESSION in words; OFFERS are the performances, for their times. */
export function conditions(concession, offers, now) {
  const { grades, performances, at_least: least, at_most: most, from, until } = concession;
  const found = [];
  if (grades?.length) found.push(t("concession_grades", { grades: grades.map(gradeLabel).join(", ") }));
  if (performances?.length) {
    const dates = offers.filter((each) => performances.includes(each.id)).map((each) => moment(each.starts_at));
    found.push(dates.length && dates.length <= DATES_MAX ? t("concession_dates", { dates: dates.join(", ") }) : t("concession_dates_some"));
  }
  if (least) found.push(t("concession_least", { count: least }));
  if (most) found.push(t("concession_most", { count: most }));
  if (from && !hasBegun(concession, now)) found.push(t("concession_from", { when: moment(from) }));
  if (until) found.push(t("concession_until", { when: moment(until) }));
  return found;
}
