// One order of merchandise.
import { api, goToLogin } from "../lib/api.js";
import { t } from "../lib/client.js";
import { $, announce, ask, busy, clear, fill, h, icon, note, show, toast } from "../lib/dom.js";
import { day, won } from "../lib/format.js";
import { itemName, kept } from "../lib/items.js";
import { providerName, testChip } from "../lib/payment.js";
import { giveBackItems } from "../lib/shop_refund.js";
import { isFinal, statusChip } from "../lib/status.js";
import { watch } from "../lib/watch.js";
import "../lib/page.js";

const id = $("page").dataset.order;
const path = `/api/merch/orders/${encodeURIComponent(id)}`;
const OFF = { REFUNDED: ["off", "shop_off_refunded_text"], REFUNDING: ["wait", "shop_off_refunding_text"], CANCELLED: ["off", "shop_off_cancelled_text"] };
const BY_ORGANISER = { REFUNDED: ["off", "shop_organiser_refunded_title", "refunded_text"], REFUNDING: ["wait", "shop_organiser_refunded_title", "refunding_text"], CANCELLED: ["off", "shop_organiser_cancelled_title", "shop_cancelled_text"] };
const UNDELIVERED = { REFUNDED: "off", REFUNDING: "wait" };
const TITLES = { ISSUED: ["good", "shop_issued"], REFUNDED: ["off", "refunded"], REFUNDING: ["wait", "refunding"], CANCELLED: ["off", "shop_cancelled"] };
let shown = "";

const watching = watch({
  ask: async () => (await api("GET", path)).body,
  isFinal,
  show: draw,
  failed: (problem, isFirst) => {
    if (goToLogin(problem)) return;
    show($("loading"), false);
    if (isFirst) note($("problem"), "bad", problem.status === 404 ? t("order_unknown") : problem.isPassing ? t("shop_down") : problem.message);
  },
});

function draw(order) {
  show($("loading"), false);
  clear($("problem"));
  const now = JSON.stringify(order);
  if (now === shown) return;
  const wasShown = shown !== "";
  shown = now;
  const url = order.payment?.redirect_url;
  const canPay = order.status === "PAYING" && !order.is_settling && url && /^https?:\/\//.test(url);
  const { kind, title, text } = headline(order, canPay);
  const cancel = h("button", { type: "button", class: "button button--danger", "data-testid": "cancel-order" }, t(order.status === "ISSUED" ? "shop_refund" : "cancel_shop_order"));
  cancel.addEventListener("click", () => giveUp(order, cancel));
  const canCancel = ["PAYING", "PENDING", "ISSUED"].includes(order.status) && !order.is_settling && order.cancellation.allowed;
  fill(
    $("order"),
    h(
      "section",
      { class: `outcome outcome--${kind}` },
      kind === "wait" ? h("span", { class: "spinner", "aria-hidden": "true" }) : icon(kind === "good" ? "check" : "info"),
      h("div", {}, h("h1", {}, title), h("p", {}, text), order.pickup_code && kind === "good" ? h("p", { class: "pickup" }, h("span", {}, t("pickup_code")), h("strong", { "data-testid": "pickup-code" }, order.pickup_code)) : null, canPay ? h("p", { class: "outcome__actions" }, h("a", { class: "button button--primary", href: url }, t("go_on_paying"))) : null),
    ),
    h(
      "section",
      { class: "card", "aria-labelledby": "details-title" },
      h("h2", { id: "details-title" }, t("shop_details")),
      h("dl", { class: "facts" }, fact(t("status"), statusChip(order.status, { isMerchandise: true })), order.number ? fact(t("shop_number_label"), order.number) : null, fact(t("shop_ordered_label"), day(order.created_at)), order.ticket_order ? fact(t("booking"), h("a", { href: `/orders/${encodeURIComponent(order.ticket_order)}` }, t("shop_beside_link"))) : null, order.payment ? fact(t("payment"), order.payment.test ? testChip(order.payment.provider) : providerName(order.payment.provider)) : null),
      h("ul", { class: "places" }, order.items.map(itemLine)),
      h("dl", { class: "total" }, h("dt", {}, t("total")), h("dd", {}, won(order.total_krw))),
      order.due_krw && order.status === "ISSUED" ? h("p", { class: "quiet" }, t("pay_at_counter", { amount: won(order.due_krw) })) : null,
      order.refunded_krw ? h("dl", { class: "total total--small" }, h("dt", {}, t("refunded")), h("dd", {}, won(order.refunded_krw))) : null,
      order.status === "ISSUED" ? (order.by_organiser || []).map(byOrganiser) : null,
      canCancel ? h("div", { class: "cancel" }, cancel) : null,
    ),
  );
  show($("order"));
  if (wasShown) announce(title);
}

/** What is said first of ORDER. One whose tickets went with their performance goes back with them, unless it was picked up. */
function headline(order, canPay) {
  const off = order.reason === "performance_called_off" && OFF[order.status];
  if (off) return { kind: off[0], title: t("called_off_title"), text: t(off[1]) };
  const theirs = order.reason === "organiser" && BY_ORGANISER[order.status];
  if (theirs) return { kind: theirs[0], title: t(theirs[1]), text: t(theirs[2]) };
  if (order.reason === "payment_cancelled" && UNDELIVERED[order.status]) return { kind: UNDELIVERED[order.status], title: t("payment_cancelled_title"), text: t("payment_cancelled_text") };
  const [kind, key] = (order.picked_up_at && order.status === "ISSUED" && ["off", "shop_picked_up"]) || TITLES[order.status] || (canPay ? ["off", "shop_unpaid"] : ["wait", "settling"]);
  return { kind, title: t(`${key}_title`), text: t(`${key}_text`) };
}

/** What was ordered of an item, and what of it was given back. */
function itemLine(item) {
  const given = item.quantity - kept(item);
  return h(
    "li",
    { class: `places__item${kept(item) ? "" : " places--off"}` },
    h("span", {}, h("strong", {}, `${itemName(item)} × ${item.quantity}`), given ? h("span", { class: "quiet", "data-testid": "given-back" }, t("shop_given_back", { count: given })) : null),
    h("span", { class: "places__price" }, won(item.price_krw * item.quantity)),
  );
}

/** What the organiser gave back of an order that stands. */
function byOrganiser(given) {
  const count = Object.values(given.pieces).reduce((sum, pieces) => sum + pieces, 0);
  return h("p", { class: "quiet", "data-testid": "by-organiser" }, [t(given.refund_krw ? "shop_organiser_refunded" : "shop_organiser_cancelled"), t("pieces", { count }), ...(given.refund_krw ? [won(given.refund_krw)] : [])].join(" · "));
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

async function giveUp(order, button) {
  if (order.status === "ISSUED") {
    const after = await giveBackItems(order);
    if (after) draw(after);
    watching.now();
    return;
  }
  if (!(await ask({ title: t("cancel_shop_title"), text: t("cancel_shop_text"), yes: t("cancel_yes"), no: t("cancel_no"), isDanger: true, testid: "cancel-confirm" }))) return;
  await busy(button, async () => {
    try {
      draw((await api("POST", `${path}/cancel`, { timeoutMs: 40000 })).body);
    } catch (problem) {
      if (!goToLogin(problem)) toast(problem.message, "bad");
    }
  });
  watching.now();
}
