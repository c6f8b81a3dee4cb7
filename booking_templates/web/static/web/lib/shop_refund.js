// Giving merchandise back: how many of what. There is no fee, and it must not have been picked up.
import { api } from "./api.js";
import { t } from "./client.js";
import { busy, fill, h, icon, note } from "./dom.js";
import { won } from "./format.js";
import { itemName, kept } from "./items.js";

/** Ask what of ORDER to give back. Resolves to the order as it is afterwards, or null when all is kept. */
export function giveBackItems(order) {
  const lines = order.items.map((item) => ({ item, most: kept(item), quantity: kept(item) })).filter((line) => line.most > 0);
  const path = `/api/merch/orders/${encodeURIComponent(order.id)}`;
  let done = null;
  let isUnsure = false;
  const list = h("ul", { class: "picks" });
  const sum = h("div", { class: "quote quote--short", role: "status", "data-testid": "refund-quote" });
  const problem = h("div", { role: "alert", class: "dialog__problem" });
  const yes = h("button", { type: "submit", class: "button button--danger", "data-testid": "cancel-confirm" }, t("cancel_yes"));
  const no = h("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, t("cancel_no"));
  const form = h("form", { method: "post", novalidate: true }, h("h2", { id: "refund-title" }, t("shop_refund_title")), h("p", {}, t("shop_refund_text")), list, sum, problem, h("p", { class: "dialog__actions" }, no, yes));
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "refund-title" }, form);

  function draw() {
    const focused = document.activeElement?.dataset?.key;
    fill(list, lines.map((line) => row(line)));
    if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    const total = lines.reduce((amount, { item, quantity }) => amount + item.price_krw * quantity, 0);
    const isAny = lines.some((line) => line.quantity > 0);
    yes.setAttribute("aria-disabled", String(!isAny));
    fill(sum, !isAny ? h("p", { class: "quiet" }, t("refund_none_pieces")) : order.payment ? h("dl", { class: "quote__lines" }, h("div", { class: "quote__total" }, h("dt", {}, t("refund_back")), h("dd", { "data-testid": "refund-amount" }, won(total)))) : null);
  }

  function row(line) {
    const { item, most, quantity } = line;
    const name = itemName(item);
    const step = (by, text, symbol, isOff) => h("button", { type: "button", class: "stepper__button", "aria-label": text, "aria-disabled": String(isOff), "data-key": `${item.id}${by}`, on: { click: () => !isOff && ((line.quantity += by), draw()) } }, icon(symbol));
    return h("li", { class: "chosen__item" }, h("span", { class: "chosen__text" }, h("strong", {}, name), h("span", { class: "quiet" }, won(item.price_krw))), h("span", { class: "stepper", role: "group", "aria-label": name }, step(-1, t("one_less", { name }), "minus", quantity === 0), h("output", { class: "stepper__count" }, `${quantity}/${most}`), step(1, t("one_more", { name }), "plus", quantity >= most)));
  }

  /** What was asked for without hearing an answer may be done: the same asked once more would give more pieces back. */
  async function isDone() {
    const { body } = await api("GET", path, { timeoutMs: 10000 });
    const before = new Map(order.items.map((item) => [item.id, item.given_back]));
    if (body.status === order.status && body.items.every((item) => item.given_back === before.get(item.id))) return false;
    done = body;
    return true;
  }

  async function take() {
    const items = lines.filter((line) => line.quantity > 0).map(({ item, quantity }) => ({ item: item.id, quantity }));
    try {
      if (!isUnsure || !(await isDone())) done = (await api("POST", `${path}/refunds`, { json: { items }, timeoutMs: 40000 })).body;
      dialog.close();
    } catch (failure) {
      isUnsure ||= failure.isPassing;
      note(problem, "bad", failure.isPassing ? t("shop_down") : failure.message);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (yes.getAttribute("aria-disabled") !== "true") busy(yes, take);
  });
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(done);
      dialog.remove();
    });
    document.body.append(dialog);
    draw();
    dialog.showModal();
  });
}
