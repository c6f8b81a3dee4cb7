// Giving tickets back: which ones, what it costs and what comes back, told by the ticket service before anything is taken.
import { api } from "./api.js";
import { t } from "./client.js";
import { busy, clear, fill, h, note } from "./dom.js";
import { won } from "./format.js";
import { kindOf, placeName } from "./places.js";

/** Whether its buyer may give TICKET back. */
export const isOpen = (ticket) => ticket.status === "LIVE" && !ticket.used_at && !ticket.paid_at_door_krw;

/**
 * Ask which of ORDER's tickets to give back. Resolves to the order as it is afterwards, or null when all are kept.
 * What is agreed to is the fee that was shown: if it has changed meanwhile nothing is taken, and the new one is shown.
 */
export function giveBack(order) {
  const path = `/api/ticket/orders/${encodeURIComponent(order.id)}`;
  const open = order.tickets.filter(isOpen);
  let quote = null;
  let round = 0;
  let done = null;

  const boxes = open.map((ticket) => h("input", { type: "checkbox", name: "ticket", value: ticket.id, checked: true, on: { change: ask } }));
  const lines = open.map((ticket, at) =>
    h("li", {}, h("label", { class: "tick tick--row" }, boxes[at], h("span", { class: "tick__text" }, h("strong", {}, placeName(ticket.place.label)), h("span", { class: "quiet" }, kindOf(ticket.place))), h("span", { class: "places__price" }, won(ticket.place.price_krw)))),
  );
  const sum = h("div", { class: "quote", role: "status", "data-testid": "refund-quote" });
  const problem = h("div", { role: "alert", class: "dialog__problem" });
  const yes = h("button", { type: "submit", class: "button button--danger", "data-testid": "cancel-confirm" }, t("cancel_yes"));
  const no = h("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, t("cancel_no"));
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const form = h(
    "form",
    { method: "post", novalidate: true },
    h("h2", { id: "refund-title" }, t(open.length > 1 ? "refund_choose_title" : "cancel_title")),
    h("fieldset", {}, h("legend", { class: "quiet" }, t("refund_choose_text")), h("ul", { class: "picks" }, lines)),
    sum,
    problem,
    h("p", { class: "dialog__actions" }, no, yes),
  );
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "refund-title" }, form);

  async function ask() {
    const mine = ++round;
    quote = null;
    yes.setAttribute("aria-disabled", "true");
    clear(problem);
    if (!chosen().length) {
      fill(sum, h("p", { class: "quiet" }, t("refund_none_chosen")));
      return;
    }
    fill(sum, h("p", { class: "quiet" }, t("refund_asking")));
    try {
      const { body } = await api("GET", `${path}/cancellation?tickets=${chosen().map(encodeURIComponent).join(",")}`, { timeoutMs: 10000 });
      if (mine !== round) return;
      if (!body.allowed) {
        const reasons = { concession_group: "cancel_group", paid_at_door: "cancel_paid_at_door" };
        fill(sum, h("p", {}, t(reasons[body.reason] || "cancel_not_now")));
        return;
      }
      quote = body;
      draw();
    } catch (failure) {
      if (mine !== round) return;
      fill(sum);
      const again = h("button", { type: "button", class: "button button--small", on: { click: ask } }, t("try_again"));
      note(problem, "bad", failure.isPassing ? t("orders_down") : failure.message, again);
    }
  }

  function draw() {
    const count = quote.tickets.length;
    const price = quote.tickets.reduce((total, line) => total + line.price_krw, 0);
    // Where others gave so much back that all of the rest goes back, no fee is kept.
    const kept = ({ fee_krw: fee, had_before_krw: before }) =>
      before ? line(t("refund_before"), `− ${won(before)}`, false, "refund-before") : line(t("refund_fee"), fee ? `− ${won(fee)}` : t("terms_fee_none"), false, "refund-fee");
    const line = (name, value, isTotal, testid) => h("div", { class: isTotal ? "quote__total" : null }, h("dt", {}, name), h("dd", { "data-testid": testid }, value));
    const amounts = order.payment
      ? h("dl", { class: "quote__lines" }, line(t("tickets", { count }), won(price)), kept(quote), line(t("refund_back"), quote.refund_krw ? won(quote.refund_krw) : t("refund_nothing"), true, "refund-amount"))
      : null;
    fill(sum, amounts, h("p", { class: "quiet" }, t("cancel_text", { count })));
    yes.removeAttribute("aria-disabled");
  }

  async function take() {
    try {
      done = (await api("POST", `${path}/refunds`, { json: { tickets: quote.tickets.map((line) => line.ticket), fee_krw: quote.fee_krw }, timeoutMs: 40000 })).body;
      dialog.close();
    } catch (failure) {
      const text = failure.isPassing ? t("orders_down") : failure.message;
      if (["fee_not_agreed", "order_changed", "paid_at_door"].includes(failure.code)) await ask();
      note(problem, "bad", text);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (quote) busy(yes, take);
  });
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(done);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    ask();
  });
}
