// Places without numbers: how many in which area.
import { t } from "../lib/client.js";
import { h, icon, show, swatch } from "../lib/dom.js";
import { number, won } from "../lib/format.js";

export class AreaPicker {
  /** AREAS: [{id, name, capacity, grade: {name, price_krw, color}}]. ON: change(). */
  constructor(element, areas, availability, quantities, on) {
    Object.assign(this, { areas, availability, quantities, on });
    this.rows = areas.map((area) => this.row(area));
    element.replaceChildren(h("ul", { class: "arealist" }, this.rows.map((row) => row.item)));
  }

  row(area) {
    const id = `area-${area.id}`;
    const left = h("span", { class: "arealist__left", id: `${id}-left` });
    const output = h("output", { class: "stepper__count", "aria-live": "polite", "data-testid": `quantity-${area.id}` }, "0");
    const step = (by) => {
      this.quantities.set(area.id, this.quantities.of(area.id) + by, this.availability.areas.get(area.id) || 0);
      this.on.change();
    };
    const less = h("button", { type: "button", class: "stepper__button", "aria-label": t("one_less", { name: area.name }), on: { click: () => step(-1) } }, icon("minus"));
    const more = h("button", { type: "button", class: "stepper__button", "aria-label": t("one_more", { name: area.name }), on: { click: () => step(1) } }, icon("plus"));
    const stepper = h("span", { class: "stepper", role: "group", "aria-labelledby": id, "aria-describedby": `${id}-left` }, less, output, more);
    const item = h(
      "li",
      { class: "arealist__item", "data-testid": `area-${area.id}` },
      h("span", { class: "arealist__name" }, swatch(area.grade.color), h("span", {}, h("strong", { id }, area.name), area.grade.name !== area.name ? h("span", { class: "quiet" }, ` ${area.grade.name}`) : null, h("br"), left)),
      h("strong", { class: "arealist__price" }, won(area.grade.price_krw)),
      stepper,
    );
    return { area, left, output, less, more, stepper, item };
  }

  /** Show what is free and what is chosen. Returns the areas that have become too small for what was chosen. */
  refresh() {
    const cut = [];
    for (const { area, left, output, less, more, stepper, item } of this.rows) {
      const free = this.availability.areas.get(area.id) ?? area.capacity;
      const wanted = this.quantities.of(area.id);
      if (wanted > free) {
        this.quantities.set(area.id, free, free);
        cut.push(area);
      }
      const count = this.quantities.of(area.id);
      left.textContent = free ? t("left_places", { count: number(free) }) : t("sold_out");
      item.classList.toggle("is-gone", !free);
      show(stepper, free > 0);
      item.classList.toggle("is-chosen", count > 0);
      output.textContent = String(count);
      less.setAttribute("aria-disabled", String(count === 0));
      more.setAttribute("aria-disabled", String(count >= this.quantities.most(area.id, free)));
    }
    return cut;
  }
}
