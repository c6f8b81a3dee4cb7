// A seat in words: what the drawing says by place, colour and shape.
import { t } from "../lib/client.js";
import { won } from "../lib/format.js";
import { gradeLabel } from "../lib/places.js";
import { OBSTRUCTED, STATE, WHEELCHAIR } from "./plan.js";

/** "1층 B구역 3열 14번" */
export function place(plan, index) {
  const row = plan.rows[plan.rowOf[index]];
  const zone = plan.zones[row.zone];
  const values = { zone, row: row.label, number: plan.number[index] };
  if (!row.label) return t("seat_in_zone", values).trim();
  return plan.zones.length > 1 && zone ? t("seat_in_row_of_zone", values) : t("seat_in_row", values);
}

export function grade(plan, index) {
  return plan.grades[plan.grade[index]];
}

/** "R석 150,000원" */
export function priced(grade) {
  return `${gradeName(grade)} ${won(grade.price_krw)}`;
}

export const gradeName = (grade) => gradeLabel(grade.name);

/** What is special about a seat: "휠체어석". */
export function remarks(plan, index) {
  const flags = plan.flags[index];
  return [flags & WHEELCHAIR && t("wheelchair"), flags & OBSTRUCTED && t("obstructed")].filter(Boolean);
}

const STATES = { [STATE.free]: "state_free", [STATE.held]: "state_held", [STATE.sold]: "state_sold", [STATE.blocked]: "state_blocked" };

/** "1층 B구역 3열 14번, R석 150,000원, 선택 가능" */
export function seatName(plan, index, state, isChosen) {
  const words = [place(plan, index), ...remarks(plan, index)];
  words.push(priced(grade(plan, index)), t(isChosen ? "state_chosen" : STATES[state] || "state_blocked"));
  return words.join(", ");
}
