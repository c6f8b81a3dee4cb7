// One order: how it stands, until it stands still; its tickets; its cancellation.
import { api, goToLogin } from "../lib/api.js";
import { embedded, t } from "../lib/client.js";
import { $, announce, ask, busy, clear, fill, h, icon, note, show, toast } from "../lib/dom.js";
import { day, moment, won } from "../lib/format.js";
import { providerName, testChip } from "../lib/payment.js";
import { gradeLabel, placeList } from "../lib/places.js";
import { isFinal, statusChip } from "../lib/status.js";
import { headline } from "../lib/headline.js";
import { watch } from "../lib/watch.js";
import "../lib/page.js";

const id = $("page").dataset.order;
const path = `/api/ticket/orders/${encodeURIComponent(id)}`;
const offers = new Map(embedded("performances", []).map((each) => [each.id, each]));
let shown = "";

const watching = watch({
  ask: async () => (await api("GET", path)).body,
  isFinal,
  show: draw,
  failed: (problem, isFirst) => {
    if (goToLogin(problem)) return;
    show($("loading"), false);
    if (problem.status === 404) note($("problem"), "warn", t("order_unknown"), h("a", { class: "button button--small", href: "/orders" }, t("my_bookings")));
    else if (isFirst || !problem.isPassing) note($("problem"), "bad", problem.isPassing ? t("orders_down") : problem.message);
  },
});

function draw(order) {
  show($("loading"), false);
  clear($("problem"));
  const now = JSON.stringify(order);
  if (now === shown) return;
  const wasShown = shown !== "";
  shown = now;
  const offer = offers.get(order.performance_id);
  const head = headline(order);
  fill(
    $("order"),
    h(
      "section",
      { class: `outcome outcome--${head.kind}` },
      head.kind === "wait" ? h("span", { class: "spinner", "aria-hidden": "true" }) : icon(head.kind === "good" ? "check" : "info"),
      h("div", {}, h("h1", {}, head.title), h("p", {}, head.text), actions(order)),
    ),
    tickets(order, offer),
    h(
      "section",
      { class: "card", "aria-labelledby": "details-title" },
      h("h2", { id: "details-title" }, t("details")),
      h(
        "dl",
        { class: "facts" },
        fact(t("status"), statusChip(order.status)),
        fact(t("order_number_label"), h("span", { "data-testid": "order-number" }, order.number)),
        offer ? fact(t("performance"), moment(offer.starts_at)) : null,
        fact(t("booked_label"), day(order.created_at)),
        order.payment ? fact(t("payment"), order.payment.test ? testChip(order.payment.provider) : providerName(order.payment.provider)) : null,
      ),
      placeList(order.places),
      h("dl", { class: "total" }, h("dt", {}, t("total")), h("dd", {}, won(order.total_krw))),
      order.refunded_krw ? h("dl", { class: "total total--small" }, h("dt", {}, t("refunded")), h("dd", {}, won(order.refunded_krw))) : null,
      cancellation(order),
    ),
  );
  show($("order"));
  if (wasShown) announce(head.title);
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function actions(order) {
  const url = order.payment?.redirect_url;
  if (order.status !== "PAYING" || order.is_settling || !url || !/^https?:\/\//.test(url)) return null;
  return h("p", { class: "outcome__actions" }, h("a", { class: "button button--primary", href: url, "data-testid": "resume-payment" }, t("go_on_paying")));
}

function tickets(order, offer) {
  const live = order.tickets.filter((ticket) => ticket.status === "LIVE");
  if (!live.length) return null;
  return h(
    "section",
    { "aria-labelledby": "tickets-title" },
    h("h2", { id: "tickets-title" }, t("tickets", { count: live.length })),
    h(
      "ul",
      { class: "stubs", "data-testid": "tickets" },
      live.map((ticket) =>
        h(
          "li",
          {},
          h(
            "a",
            { class: "stub", href: `/tickets/${ticket.id}`, "data-testid": "ticket" },
            h("img", { class: "stub__qr", src: `/api/ticket/tickets/${ticket.id}/qr.svg`, alt: "", width: 88, height: 88, loading: "lazy" }),
            h("span", { class: "stub__text" }, h("strong", {}, ticket.place.label), h("span", {}, gradeLabel(ticket.place.grade)), offer ? h("span", { class: "quiet" }, moment(offer.starts_at)) : null, h("span", { class: "stub__open" }, t("show_ticket"), icon("right"))),
          ),
        ),
      ),
    ),
  );
}

function cancellation(order) {
  const terms = order.cancellation;
  if (["CANCELLED", "REFUNDED", "REFUNDING"].includes(order.status)) return null;
  if (!terms.allowed) {
    const reasons = { too_late_to_cancel: t("cancel_too_late"), payment_in_progress: t("cancel_in_progress") };
    return h("p", { class: "quiet cancel" }, reasons[terms.reason] || t("cancel_not_now"));
  }
  const button = h("button", { type: "button", class: "button button--danger", "data-testid": "cancel-order" }, t("cancel_booking"));
  button.addEventListener("click", () => cancel(order, button));
  return h("div", { class: "cancel" }, terms.until ? h("p", { class: "quiet" }, t("cancel_until", { when: moment(terms.until) })) : null, button);
}

async function cancel(order, button) {
  const terms = order.cancellation;
  const refund = order.status === "ISSUED" && order.payment ? (terms.fee_krw ? t("cancel_refund_fee", { refund: won(terms.refund_krw), fee: won(terms.fee_krw) }) : t("cancel_refund", { refund: won(terms.refund_krw) })) : "";
  if (!(await ask({ title: t("cancel_title"), text: `${t("cancel_text", { count: order.places.length })} ${refund}`.trim(), yes: t("cancel_yes"), no: t("cancel_no"), isDanger: true, testid: "cancel-confirm" }))) return;
  await busy(button, async () => {
    try {
      draw((await api("POST", `${path}/cancel`, { timeoutMs: 40000 })).body);
    } catch (problem) {
      if (!goToLogin(problem)) toast(problem.message, "bad");
    }
  });
  $("main").focus({ preventScroll: true });
  scrollTo({ top: 0 });
  watching.now();
}
