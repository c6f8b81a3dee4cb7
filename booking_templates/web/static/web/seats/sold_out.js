// Nothing is free: it is said, and nothing is offered that cannot be had, until something comes back.
import { t } from "../lib/client.js";
import { $, announce, clear, note } from "../lib/dom.js";

/** Keeps the page true to AVAILABILITY at each call. */
export class SoldOut {
  constructor(availability) {
    Object.assign(this, { availability, said: "" });
  }

  update() {
    const text = this.text();
    if (text === this.said) return;
    this.said = text;
    document.body.classList.toggle("is-sold-out", Boolean(text));
    if (text) note($("sold-out"), "warn", text);
    else clear($("sold-out"));
    announce(text || t("free_again"));
  }

  text() {
    if (!this.availability.isSoldOut) return "";
    return this.availability.isSomeHeld ? `${t("all_sold_out")} ${t("held_may_return")}` : t("all_sold_out");
  }
}
