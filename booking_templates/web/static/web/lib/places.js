// Places of a hold or an order, as a list with prices.
import { h } from "./dom.js";
import { won } from "./format.js";
import { t } from "./client.js";

/** "R석": a short name gets the word for seat, a name that is a word stays. */
export const gradeLabel = (name) => (/^[A-Za-z0-9]{1,4}$/.test(name) ? t("grade", { name }) : name);

export function placeList(places) {
  return h(
    "ul",
    { class: "places" },
    grouped(places).map(({ label, grade, price_krw, count }) =>
      h("li", { class: "places__item" }, h("span", {}, h("strong", {}, count > 1 ? `${label} × ${count}` : label), h("span", { class: "quiet" }, gradeLabel(grade))), h("span", { class: "places__price" }, won(price_krw * count))),
    ),
  );
}

/** Places of an area all have the area's name: one line says how many. Pure. */
export function grouped(places) {
  const lines = new Map();
  for (const { label, grade, price_krw } of places) {
    const key = JSON.stringify([label, grade, price_krw]);
    const line = lines.get(key) || { label, grade, price_krw, count: 0 };
    line.count += 1;
    lines.set(key, line);
  }
  return [...lines.values()];
}
