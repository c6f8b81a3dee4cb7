// Places of a hold or an order, as a list with prices.
import { h } from "./dom.js";
import { won } from "./format.js";
import { t } from "./client.js";

/** "R석": a short name gets the word for seat, a name that is a word stays. */
export const gradeLabel = (name) => (/^[A-Za-z0-9]{1,4}$/.test(name) ? t("grade", { name }) : name);

// As the seat service writes a place, in the language of the booking system.
const KOREAN = /^(?:(?<zone>.+) )?(?<row>\S+)열 (?<number>\S+)번$/;
const ENGLISH = /^(?:(?<zone>.+) )?row (?<row>\S+) seat (?<number>\S+)$/;

/** A place's LABEL in the page's language; one that the seller wrote otherwise stays as it is. Pure but for the texts. */
export function placeName(label) {
  const parts = (label.match(KOREAN) || label.match(ENGLISH))?.groups;
  if (!parts) return label;
  return t(parts.zone ? "seat_in_row_of_zone" : "seat_in_row", parts);
}

/** A place's grade, and the concession that it is sold with. */
export const kindOf = ({ grade, concession }) => [gradeLabel(grade), concession].filter(Boolean).join(" · ");

export function placeList(places, { isGivenBack = false } = {}) {
  return h(
    "ul",
    { class: `places${isGivenBack ? " places--off" : ""}` },
    grouped(places).map(({ label, grade, price_krw, list_price_krw, concession, count }) =>
      h(
        "li",
        { class: "places__item" },
        h("span", {}, h("strong", {}, count > 1 ? `${placeName(label)} × ${count}` : placeName(label)), h("span", { class: "quiet" }, kindOf({ grade, concession }))),
        h("span", { class: "places__price" }, concession ? h("s", { class: "places__was" }, h("span", { class: "hidden-visually" }, `${t("full_price")} `), won(list_price_krw * count)) : null, won(price_krw * count)),
      ),
    ),
  );
}

/** Places of an area all have the area's name: one line says how many. Pure. */
export function grouped(places) {
  const lines = new Map();
  for (const { label, grade, price_krw, list_price_krw, concession } of places) {
    const key = JSON.stringify([label, grade, price_krw, list_price_krw, concession]);
    const line = lines.get(key) || { label, grade, price_krw, list_price_krw, concession, count: 0 };
    line.count += 1;
    lines.set(key, line);
  }
  return [...lines.values()];
}
