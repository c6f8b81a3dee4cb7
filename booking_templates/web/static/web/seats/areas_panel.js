// Places without numbers: the areas and the panel of what is chosen.
import { t } from "../lib/client.js";
import { $, announce, h, show, swatch } from "../lib/dom.js";
import { won } from "../lib/format.js";
import { AreaPicker } from "./areas.js";
import { Quantities } from "./selection.js";
import { drawTotals } from "./seats_panel.js";

export class Areas {
  /** ON: changed() after every change of the choice. */
  constructor(document_, plan, availability, on) {
    Object.assign(this, { availability, on });
    this.areas = document_.areas.map((area) => ({ ...area, grade: plan.grades[area.grade] }));
    this.quantities = new Quantities(document_.limit_per_buyer || Infinity);
  }

  open() {
    show($("areas"));
    $("booth-title").textContent = t("choose_places");
    this.picker = new AreaPicker($("areas"), this.areas, this.availability, this.quantities, { change: () => this.changed() });
    this.changed();
  }

  update() {
    const cut = this.picker.refresh();
    if (cut.length) this.changed();
    return cut.map((area) => area.name);
  }

  changed() {
    this.picker.refresh();
    const chosen = this.areas.filter((area) => this.quantities.of(area.id));
    const total = chosen.reduce((sum, area) => sum + area.grade.price_krw * this.quantities.of(area.id), 0);
    $("chosen").replaceChildren(
      ...chosen.map((area) =>
        h(
          "li",
          { class: "chosen__item" },
          swatch(area.grade.color),
          h("span", { class: "chosen__text" }, h("strong", {}, area.name), h("span", { class: "quiet" }, `${t("places", { count: this.quantities.of(area.id) })} · ${won(area.grade.price_krw * this.quantities.of(area.id))}`)),
        ),
      ),
    );
    drawTotals(this.quantities.count, total, this.quantities.limit);
    if (this.quantities.count) announce(`${t("places", { count: this.quantities.count })}, ${won(total)}`);
    this.on.changed();
  }

  request() {
    const areas = [...this.quantities.byArea].map(([area, quantity]) => ({ area, quantity }));
    return areas.length ? { areas } : null;
  }

  restore(wanted) {
    for (const { area, quantity } of wanted?.areas || []) {
      if (this.areas.some((each) => each.id === area)) this.quantities.set(area, quantity, this.availability.areas.get(area) || 0);
    }
    this.changed();
  }

  refusal(problem) {
    if (problem.code !== "area_full") return problem.message;
    const area = this.areas.find((each) => each.id === problem.body.area);
    return t("area_full", { area: area ? area.name : "" });
  }
}
