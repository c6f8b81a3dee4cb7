// Numbered seats: map, list, legend and the panel of what is chosen.
import { t } from "../lib/client.js";
import { $, announce, h, icon, show, swatch, toast } from "../lib/dom.js";
import { number, won } from "../lib/format.js";
import { SeatList } from "./list.js";
import { SeatMap } from "./map.js";
import { OBSTRUCTED, WHEELCHAIR } from "./plan.js";
import { Selection } from "./selection.js";
import { grade, gradeName, place, priced, remarks } from "./words.js";

export class Seats {
  /** ON: changed() after every change of the choice. */
  constructor(document_, plan, availability, on) {
    Object.assign(this, { plan, availability, on });
    this.selection = new Selection(document_.limit_per_buyer || Infinity);
  }

  open() {
    show($("numbered"));
    show($("view"));
    const on = { toggle: (index) => this.toggle(index), zoomed: () => show($("map-hint"), this.isFar()) };
    this.map = new SeatMap($("map"), this.plan, this.availability, this.selection, on);
    this.list = new SeatList($("seatlist"), this.plan, this.availability, this.selection, on);
    on.zoomed();
    $("zoom-in").addEventListener("click", () => this.map.zoom(1.6));
    $("zoom-out").addEventListener("click", () => this.map.zoom(1 / 1.6));
    $("zoom-fit").addEventListener("click", () => this.map.fit());
    $("view-map").addEventListener("click", () => this.view("map"));
    $("view-list").addEventListener("click", () => this.view("list"));
    this.drawLegend();
    for (const [flag, id] of [[WHEELCHAIR, "sign-wheelchair"], [OBSTRUCTED, "sign-obstructed"]]) show($(id), this.plan.flags.some((flags) => flags & flag));
    this.changed();
  }

  isFar() {
    return Boolean(this.map) && this.map.step < 14 && matchMedia("(pointer: coarse)").matches;
  }

  view(name) {
    show($("map"), name === "map");
    show($("states"), name === "map");
    show($("seatlist"), name === "list");
    $("view-map").setAttribute("aria-pressed", String(name === "map"));
    $("view-list").setAttribute("aria-pressed", String(name === "list"));
    if (name === "list") this.list.refresh();
    else this.map.resize();
  }

  /** Seats CHANGED by the server's word. Returns the names of chosen seats that are lost. */
  update(changed) {
    const lost = this.selection.keep((index) => this.availability.isFree(index));
    this.map.update(changed);
    this.list.refresh();
    this.countLegend();
    if (lost.length) this.changed(lost);
    return lost.map((index) => place(this.plan, index));
  }

  toggle(index) {
    const name = place(this.plan, index);
    if (!this.selection.has(index) && !this.availability.isFree(index)) {
      announce(t("not_free", { place: name }));
      return;
    }
    const outcome = this.selection.toggle(index);
    if (outcome === "full") {
      toast(t("limit", { limit: this.selection.limit }), "warn");
      return;
    }
    this.changed([index]);
    const values = { place: name, count: t("places", { count: this.selection.seats.length }), total: won(this.total) };
    announce(t(outcome === "added" ? "added" : "removed", values));
    // On a phone the list of what is chosen is folded away.
    const special = remarks(this.plan, index);
    if (outcome === "added" && special.length) toast(`${name}: ${special.join(", ")}`);
  }

  get total() {
    return this.selection.seats.reduce((sum, index) => sum + grade(this.plan, index).price_krw, 0);
  }

  changed(indices = []) {
    const { seats } = this.selection;
    for (const index of indices) this.map.name(index);
    this.map.overview.forget();
    this.map.draw();
    this.list.refresh();
    $("chosen").replaceChildren(
      ...seats.map((index) =>
        h(
          "li",
          { class: "chosen__item" },
          swatch(grade(this.plan, index).color),
          h("span", { class: "chosen__text" }, h("strong", {}, place(this.plan, index)), h("span", { class: "quiet" }, [priced(grade(this.plan, index)), ...remarks(this.plan, index)].join(" · "))),
          h("button", { type: "button", class: "chosen__remove", "aria-label": t("remove", { place: place(this.plan, index) }), on: { click: () => this.drop(index) } }, icon("close")),
        ),
      ),
    );
    drawTotals(seats.length, this.total, this.selection.limit);
    this.on.changed();
  }

  drop(index) {
    this.toggle(index);
    ($("chosen").querySelector("button") || $("hold")).focus();
  }

  /** The body of the hold, or null while nothing is chosen. */
  request() {
    return this.selection.seats.length ? { seats: this.selection.seats.map((index) => this.plan.guid[index]) } : null;
  }

  restore(wanted) {
    const seats = (wanted?.seats || []).map((guid) => this.plan.indexOf.get(guid)).filter((index) => index !== undefined && this.availability.isFree(index));
    for (const index of seats) if (!this.selection.has(index)) this.selection.toggle(index);
    if (seats.length) this.changed(seats);
  }

  /** PROBLEM of a hold in words that name the seats; what was not the problem stays chosen. */
  refusal(problem) {
    if (problem.code === "seats_taken") {
      const taken = (problem.body.seats || []).map((guid) => this.plan.indexOf.get(guid)).filter((index) => index !== undefined);
      for (const index of taken) this.selection.remove(index);
      this.changed(taken);
      return t(this.selection.seats.length ? "seats_lost" : "seats_lost_all", { places: taken.map((index) => place(this.plan, index)).join(", ") });
    }
    return problem.message;
  }

  drawLegend() {
    const order = this.plan.grades.map((each, index) => ({ ...each, index })).sort((a, b) => b.price_krw - a.price_krw);
    this.counts = new Map();
    $("legend").replaceChildren(
      ...order.map((each) => {
        const left = h("span", { class: "quiet" });
        this.counts.set(each.index, left);
        const button = h("button", { type: "button", class: "legend__item", "aria-pressed": "false" }, swatch(each.color), h("strong", {}, gradeName(each)), h("span", {}, won(each.price_krw)), left);
        button.addEventListener("click", () => {
          const isOn = button.getAttribute("aria-pressed") !== "true";
          for (const other of $("legend").querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
          button.setAttribute("aria-pressed", String(isOn));
          this.map.light(isOn ? each.index : null);
          this.list.filter.value = isOn ? String(each.index) : "";
          this.list.setGrade(isOn ? each.index : null);
        });
        return h("li", {}, button);
      }),
    );
    this.countLegend();
  }

  /** How many seats of each grade are free, by the grade's index in the plan; none of one that is missing. */
  freeByGrade() {
    const free = new Map();
    for (let i = 0; i < this.plan.count; i++) if (this.availability.isFree(i)) free.set(this.plan.grade[i], (free.get(this.plan.grade[i]) || 0) + 1);
    return free;
  }

  countLegend() {
    const free = this.freeByGrade();
    for (const [index, left] of this.counts) left.textContent = free.has(index) ? t("left", { count: number(free.get(index)) }) : t("sold_out");
  }
}

/** COUNT places for TOTAL won, in the panel and in the phone's bar. */
export function drawTotals(count, total, limit) {
  show($("chosen-empty"), count === 0);
  $("panel-count").textContent = Number.isFinite(limit) ? t("count_of", { count, limit }) : count ? t("places", { count }) : "";
  $("total").textContent = count ? won(total) : "–";
  $("bar-count").textContent = count ? `${t("places", { count })} · ${won(total)}` : t("nothing_chosen");
  $("hold").setAttribute("aria-disabled", String(count === 0));
}
