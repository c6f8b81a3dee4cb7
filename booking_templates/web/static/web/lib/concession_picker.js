// At checkout: a concession for each place, what has to be shown for it, and what that comes to.
import { t } from "./client.js";
import { chosenPlaces, offText, offeredFor, priceOf, proofsOf, stillOffered, totalOf, wrongCount } from "./concessions.js";
import { announce, fill, h, icon, note, show } from "./dom.js";
import { won } from "./format.js";
import { gradeLabel, placeName } from "./places.js";
import { tab } from "./storage.js";
import { readTerms } from "./terms.js";

const stored = (hold) => `clove.concessions.${hold}`;

/** Forget what was chosen for HOLD. */
export const forgetChoice = (hold) => tab.drop(stored(hold));

function remembered(hold) {
  try {
    return JSON.parse(tab.read(stored(hold))) || {};
  } catch {
    return {};
  }
}

/** The choice for HOLD in SECTION; CHANGED() is called when what it comes to is another. It lives through a reload. */
export class ConcessionPicker {
  #section;
  #body;
  #hold;
  #changed;
  #offered = [];
  #choice = {};
  #since = performance.now();
  #selects = [];
  #prices = [];
  #proof = h("div", { class: "proofs" });
  #status = h("p", { class: "field__error", id: "concessions-error", hidden: true });
  #shownProofs = "";

  constructor(section, hold, changed) {
    this.#section = section;
    this.#body = section.querySelector("[data-part=body]");
    this.#hold = hold;
    this.#changed = changed;
  }

  /** The time by the server's clock: a visitor's own may be wrong by days. */
  #now() {
    return Date.parse(this.#hold.server_time) + performance.now() - this.#since;
  }

  /** Offer what TERMS have; null: they could not be read. */
  offer(terms) {
    this.#choice = remembered(this.#hold.id);
    if (!terms) {
      const again = h("button", { type: "button", class: "button button--small", "data-testid": "concessions-again", on: { click: () => this.readAnew() } }, t("try_again"));
      note(this.#body, "warn", t("concessions_down"), again);
      show(this.#section);
      return;
    }
    this.#offered = terms.concessions || [];
    this.#choice = stillOffered(this.#choice, this.#offered, this.#hold.places, this.#hold.performance_id, this.#now());
    this.#draw();
    this.#settle({ isQuiet: true });
  }

  /** Ask anew what is offered: it has changed meanwhile. */
  async readAnew() {
    const terms = await readTerms({ anew: true });
    if (terms || !this.#selects.length) this.offer(terms);
  }

  get places() {
    return chosenPlaces(this.#hold.places, this.#choice, this.#offered);
  }

  get total() {
    return totalOf(this.places);
  }

  /** What an order says of it: nothing, where all is at full price. */
  get order() {
    return Object.keys(this.#choice).length ? { concessions: this.#choice, expected_total_krw: this.total } : {};
  }

  /** Whether the counts are right; the first place that is not is told so and gets the focus. */
  check() {
    const wrong = this.#tellCount();
    if (wrong) this.#selects.find((select) => select.value === wrong.concession.id)?.focus();
    return !wrong;
  }

  #draw() {
    const { places, performance_id: performanceId } = this.#hold;
    const now = this.#now();
    const options = places.map((place) => offeredFor(this.#offered, place, performanceId, now));
    this.#selects = [];
    this.#prices = [];
    show(this.#section, options.some((each) => each.length));
    if (this.#section.hidden) return;
    const most = new Map(this.#offered.map((each) => [each.id, options.filter((list) => list.includes(each)).length]));
    const rows = places.map((place, at) => this.#row(place, at, options[at], most, places.length));
    const same = h("button", { type: "button", class: "button button--small", "data-testid": "concession-same", on: { click: () => this.#sameForAll() } }, t("concession_same"));
    fill(this.#body, h("div", { class: "concessions" }, rows), this.#status, places.length > 1 ? h("p", { class: "concessions__same" }, same) : null, this.#proof);
  }

  #row(place, at, options, most, count) {
    const id = `concession-${at}`;
    const select = h(
      "select",
      { id, name: id, class: "concession__select", "data-testid": "concession", "aria-describedby": "concessions-error", on: { change: () => this.#choose(place, select.value) } },
      h("option", { value: "" }, `${t("full_price")} · ${won(place.price_krw)}`),
      options.map((each) => {
        const isShort = (each.at_least || 0) > most.get(each.id);
        const why = isShort ? t("concession_least", { count: each.at_least }) : won(priceOf(each, place.price_krw));
        return h("option", { value: each.id, disabled: isShort }, `${each.name} (${offText(each)}) · ${why}`);
      }),
    );
    select.value = this.#choice[place.id] || "";
    this.#selects.push(select);
    // Places of an area all have the area's name.
    const isOneOfMany = this.#hold.places.filter((each) => each.label === place.label).length > 1;
    const name = isOneOfMany ? `${placeName(place.label)} (${at + 1}/${count})` : placeName(place.label);
    const price = h("span", { class: "concession__price" });
    this.#prices.push(price);
    return h("div", { class: "field concession" }, h("label", { for: id }, name, " ", h("span", { class: "quiet" }, gradeLabel(place.grade))), price, select);
  }

  #choose(place, concessionId) {
    if (concessionId) this.#choice[place.id] = concessionId;
    else delete this.#choice[place.id];
    this.#settle();
  }

  #sameForAll() {
    const wanted = this.#selects[0].value;
    this.#selects.forEach((select, at) => {
      const option = [...select.options].find((each) => each.value === wanted);
      if (!option || option.disabled) return;
      select.value = wanted;
      const { id } = this.#hold.places[at];
      if (wanted) this.#choice[id] = wanted;
      else delete this.#choice[id];
    });
    this.#settle();
  }

  #settle({ isQuiet = false } = {}) {
    tab.write(stored(this.#hold.id), JSON.stringify(this.#choice));
    this.places.forEach((place, at) => this.#prices[at] && (this.#prices[at].textContent = won(place.price_krw)));
    this.#drawProofs();
    const wrong = isQuiet ? null : this.#tellCount();
    this.#changed();
    if (!isQuiet) announce([t("concession_total", { total: won(this.total) }), wrong?.text].filter(Boolean).join(" "));
  }

  #tellCount() {
    const wrong = wrongCount(this.#choice, this.#offered);
    this.#status.textContent = wrong?.text || "";
    show(this.#status, Boolean(wrong));
    for (const select of this.#selects) {
      if (wrong && select.value === wrong.concession.id) select.setAttribute("aria-invalid", "true");
      else select.removeAttribute("aria-invalid");
    }
    return wrong;
  }

  /** Agreed to anew when there is something else to show. */
  #drawProofs() {
    const proofs = proofsOf(this.#choice, this.#offered);
    const now = JSON.stringify(proofs.map((each) => [each.name, each.proof]));
    if (now === this.#shownProofs) return;
    this.#shownProofs = now;
    if (!proofs.length) {
      fill(this.#proof);
      return;
    }
    fill(
      this.#proof,
      h("p", { class: "proofs__head" }, icon("ticket"), t("proofs")),
      h("ul", { class: "proofs__list", "data-testid": "proofs" }, proofs.map((each) => h("li", {}, h("strong", {}, each.name), ` ${each.proof}`))),
      h("label", { class: "tick" }, h("input", { type: "checkbox", id: "proof", name: "proof", required: true, "aria-describedby": "proof-error", "data-testid": "proof" }), h("span", {}, t("proofs_agree"))),
      h("p", { class: "field__error", id: "proof-error", hidden: true }),
    );
  }
}
