// The best seats there are, chosen by the server: together, and as near to the stage as possible.
import { goToLogin } from "../lib/api.js";
import { t } from "../lib/client.js";
import { $, busy, h, note, show } from "../lib/dom.js";
import { gradeLabel } from "../lib/places.js";
import { won } from "../lib/format.js";
import { holdPlaces } from "./hold.js";

const MOST = 20;

/**
 * Offer it for PERFORMANCE with DOCUMENT_ its plan. FREE() says how many seats of each grade are free, by its index in the plan (null: not known yet);
 * REFUSED(problem) tells of a problem that is not about this choice.
 */
export function offerBest(performance, document_, { free, refused }) {
  const dialog = $("best-dialog");
  const most = Math.min(document_.limit_per_buyer || MOST, MOST);
  const grades = [...document_.grades].sort((a, b) => b.price_krw - a.price_krw);
  $("best-quantity").replaceChildren(...Array.from({ length: most }, (_, i) => h("option", { value: i + 1, selected: i + 1 === Math.min(2, most) }, t("places", { count: i + 1 }))));
  $("best-grade").replaceChildren(h("option", { value: "" }, t("all_grades")), ...grades.map((grade) => h("option", { value: grade.name }, label(grade))));
  show($("best"));

  /** As it is when the dialog opens: what is sold out is seen, and not chosen. */
  function offerFree() {
    const left = free();
    for (const [number, grade] of grades.entries()) {
      const option = $("best-grade").options[number + 1];
      option.disabled = left !== null && !left.has(document_.grades.indexOf(grade));
      option.textContent = option.disabled ? `${label(grade)} · ${t("sold_out")}` : label(grade);
      if (option.disabled && option.selected) $("best-grade").value = "";
    }
  }

  $("best").addEventListener("click", () => {
    $("best-problem").replaceChildren();
    offerFree();
    dialog.showModal();
  });
  $("best-cancel").addEventListener("click", () => dialog.close());
  $("best-form").addEventListener("submit", (event) => {
    event.preventDefault();
    busy(event.submitter, async () => {
      const best = { quantity: Number($("best-quantity").value) };
      if ($("best-grade").value) best.grade = $("best-grade").value;
      if ($("best-wheelchair").checked) best.wheelchair = true;
      try {
        await holdPlaces(performance, { best });
      } catch (problem) {
        if (goToLogin(problem)) return;
        const isAboutChoice = (problem.status === 409 || problem.status === 422) && problem.code !== "performance_called_off";
        if (isAboutChoice) note($("best-problem"), "warn", problem.message);
        else {
          dialog.close();
          await refused(problem);
        }
      }
    });
  });
}

function label(grade) {
  return `${gradeLabel(grade.name)} · ${won(grade.price_krw)}`;
}
