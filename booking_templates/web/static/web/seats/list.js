// The same seats as a list: by zone and row, free ones only. Zones are filled when they are opened. What stays offered keeps its element:
// a press that has begun, and the place where a screen reader reads, outlast what others book meanwhile.
import { t } from "../lib/client.js";
import { number } from "../lib/format.js";
import { h } from "../lib/dom.js";
import { gradeName, seatName } from "./words.js";

export class SeatList {
  /** ON: toggle(index). */
  constructor(element, plan, availability, selection, on) {
    Object.assign(this, { element, plan, availability, selection, on, grade: null });
    this.filter = h(
      "select",
      { id: "list-grade", on: { change: () => this.setGrade(this.filter.value === "" ? null : Number(this.filter.value)) } },
      h("option", { value: "" }, t("all_grades")),
      plan.grades.map((grade, index) => h("option", { value: index }, gradeName(grade))),
    );
    this.zones = plan.zones.map((name, zone) => this.zone(name, zone)).filter(Boolean);
    element.replaceChildren(
      h("p", { class: "seatlist__filter" }, h("label", { for: "list-grade" }, t("grade_label")), this.filter),
      ...this.zones.map((zone) => zone.details),
    );
    element.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-index]");
      if (button) on.toggle(Number(button.dataset.index));
    });
  }

  zone(name, index) {
    const rows = this.plan.rows.filter((row) => row.zone === index);
    if (!rows.length) return null;
    const count = h("span", { class: "quiet" });
    const body = h("ul", { class: "seatlist__rows" });
    const details = h("details", { class: "seatlist__zone" }, h("summary", {}, h("span", {}, name || t("all_seats")), count), body);
    const zone = { rows, count, body, details, lines: new Map(), buttons: new Map(), none: h("li", { class: "quiet" }, t("none_free")) };
    details.addEventListener("toggle", () => details.open && this.fill(zone));
    return zone;
  }

  setGrade(grade) {
    this.grade = grade;
    this.refresh();
  }

  /** Something has changed. Costs nothing while the list is not shown. */
  refresh() {
    if (this.element.hidden) return;
    if (!this.zones.some((zone) => zone.details.open) && !this.wasOpened) this.zones[0].details.open = true;
    this.wasOpened = true;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.index : undefined;
    for (const zone of this.zones) {
      const free = zone.rows.reduce((sum, row) => sum + this.offered(row).length, 0);
      zone.count.textContent = t("left", { count: number(free) });
      if (zone.details.open) this.fill(zone);
    }
    if (focused !== undefined && document.activeElement === document.body) {
      // It is gone; one goes on from where it was.
      const next = [...this.element.querySelectorAll("[data-index]")].find((each) => Number(each.dataset.index) > Number(focused));
      (next || this.element.querySelector("summary")).focus({ preventScroll: true });
    }
  }

  offered(row) {
    const found = [];
    for (let i = row.first; i < row.end; i++) {
      const isOffered = this.selection.has(i) || this.availability.isFree(i);
      if (isOffered && (this.grade === null || this.plan.grade[i] === this.grade)) found.push(i);
    }
    return found;
  }

  fill(zone) {
    const lines = [];
    for (const row of zone.rows) {
      const seats = this.offered(row);
      if (seats.length) lines.push(this.line(zone, row, seats));
    }
    align(zone.body, lines.length ? lines : [zone.none]);
  }

  line(zone, row, seats) {
    const line = zone.lines.get(row) || h("li", {}, h("span", { class: "seatlist__row" }, row.label ? t("row", { row: row.label }) : ""), h("span", { class: "seatlist__seats" }));
    zone.lines.set(row, line);
    align(line.lastElementChild, seats.map((index) => this.seat(zone, index)));
    return line;
  }

  /** The button of the seat INDEX, as it is now. */
  seat(zone, index) {
    const button = zone.buttons.get(index) || this.button(index);
    zone.buttons.set(index, button);
    const isChosen = this.selection.has(index);
    if (button.getAttribute("aria-pressed") === String(isChosen)) return button;
    button.setAttribute("aria-pressed", String(isChosen));
    button.lastElementChild.textContent = seatName(this.plan, index, this.availability.states[index], isChosen);
    return button;
  }

  button(index) {
    const isChosen = this.selection.has(index);
    const name = seatName(this.plan, index, this.availability.states[index], isChosen);
    const button = h("button", { type: "button", class: "chip", "aria-pressed": String(isChosen), "data-index": index, "data-seat": this.plan.guid[index] }, h("span", { "aria-hidden": "true" }, this.plan.number[index]), h("span", { class: "hidden-visually" }, name));
    const color = this.plan.grades[this.plan.grade[index]].color;
    if (color) button.style.setProperty("--grade", color);
    return button;
  }
}

/** Make NODES the children of PLACE, moving none that stands where it should: what is moved loses the focus. */
function align(place, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...place.childNodes]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, at) => {
    if (place.childNodes[at] !== node) place.insertBefore(node, place.childNodes[at] || null);
  });
}
