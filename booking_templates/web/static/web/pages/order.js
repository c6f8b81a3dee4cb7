// One order: how it stands, until it stands still; its tickets; its cancellation.
import { api, goToLogin } from "../lib/api.js";
import { client, embedded, t } from "../lib/client.js";
import { $, announce, ask, busy, clear, fill, h, icon, note, show, toast } from "../lib/dom.js";
import { day, moment, won } from "../lib/format.js";
import { providerName, testChip } from "../lib/payment.js";
import { kindOf, placeList, placeName } from "../lib/places.js";
import { isFinal, statusChip } from "../lib/status.js";
import { download } from "../lib/download.js";
import { showExtras, showLeft } from "../lib/extras.js";
import { atDoor, BY_ORGANISER, headline } from "../lib/headline.js";
import { giveBack, isOpen } from "../lib/refund.js";
import { calledOff, readTerms, termsList } from "../lib/terms.js";
import { watch } from "../lib/watch.js";
import "../lib/page.js";

const id = $("page").dataset.order;
const path = `/api/ticket/orders/${encodeURIComponent(id)}`;
const offers = new Map(embedded("performances", []).map((each) => [each.id, each]));
let shown = "";
let terms = null;
let current = null;
let extras = "";

const watching = watch({
  ask: async () => (await api("GET", path)).body,
  isFinal: (order) => isFinal(order) && !(order.status === "ISSUED" && isOff(order)),
  show: draw,
  failed: (problem, isFirst) => {
    if (goToLogin(problem)) return;
    show($("loading"), false);
    if (problem.status === 404) note($("problem"), "warn", t("order_unknown"), h("a", { class: "button button--small", href: "/orders" }, t("my_bookings")));
    else if (isFirst || !problem.isPassing) note($("problem"), "bad", problem.isPassing ? t("orders_down") : problem.message);
  },
});

readTerms({ order: id }).then((found) => {
  terms = found;
  if (!current) return;
  draw(current);
  if (isOff(current)) watching.now();
});

/** A performance that was called off is refunded by itself, a moment later. */
const isOff = (order) => calledOff(terms).has(order.performance_id);

const isStanding = () => current.status === "ISSUED" && !isOff(current);

function draw(order) {
  current = order;
  show($("loading"), false);
  clear($("problem"));
  const now = JSON.stringify([order, isOff(order), Boolean(terms)]);
  if (now === shown) return;
  const wasShown = shown !== "";
  shown = now;
  const offer = offers.get(order.performance_id);
  const head = headline(order, isOff(order));
  const isTold = wasShown && $("outcome-title")?.textContent !== head.title;
  fill(
    $("order"),
    h(
      "section",
      { class: `outcome outcome--${head.kind}` },
      head.kind === "wait" ? h("span", { class: "spinner", "aria-hidden": "true" }) : icon(head.kind === "good" ? "check" : "info"),
      h("div", {}, h("h1", { id: "outcome-title" }, head.title), h("p", {}, head.text), actions(order)),
    ),
    isOff(order) ? null : tickets(order, offer),
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
      places(order),
      h("dl", { class: "total" }, h("dt", {}, t("total")), h("dd", {}, won(order.total_krw))),
      money(order),
      isOff(order) ? null : cancellation(order),
    ),
  );
  show($("order"));
  if (client.has_shop) drawExtras(order);
  if (isTold) announce(head.title);
}

function drawExtras(order) {
  const now = isStanding() ? "standing" : ["buyer", BY_ORGANISER].includes(order.reason) && order.tickets.length && !isOff(order) ? "given back" : "none";
  if (now === extras) return;
  extras = now;
  show($("extras"), false);
  const isStill = () => extras === now;
  if (now === "standing") showExtras($("extras"), order, isStill);
  if (now === "given back") showLeft($("extras"), order, isStill);
}

/** What is still booked, and apart from it what was given back, and what the organiser gave back. */
function places(order) {
  const byOrganiser = new Set((order.by_organiser || []).flatMap((each) => each.tickets));
  const given = order.tickets.filter((ticket) => ticket.status !== "LIVE");
  const live = order.tickets.filter((ticket) => ticket.status === "LIVE");
  if (!given.length || !live.length) return placeList(order.places);
  const back = (name, tickets, testid) => (tickets.length ? [h("h3", { class: "places__head", "data-testid": testid }, name), placeList(tickets.map((ticket) => ticket.place), { isGivenBack: true })] : []);
  return [
    placeList(live.map((ticket) => ticket.place)),
    ...back(t("given_up"), given.filter((ticket) => !byOrganiser.has(ticket.id)), "given-up"),
    ...back(t(order.payment ? "organiser_refunded" : "organiser_cancelled"), given.filter((ticket) => byOrganiser.has(ticket.id)), "by-organiser"),
  ];
}

/** What came back, by whosever hands, what was kept of it, and what the organiser owes apart; and what is paid at the entrance. */
function money(order) {
  const line = (name, value, testid) => h("dl", { class: "total total--small" }, h("dt", {}, name), h("dd", { "data-testid": testid }, value));
  const door = atDoor(order);
  return [
    door.due && !isOff(order) ? line(t("door_due"), won(door.due), "door-due") : null,
    door.paid ? line(t("door_paid"), won(door.paid), "door-paid") : null,
    door.back ? line(t("door_given_back"), won(door.back), "door-given-back") : null,
    door.toGiveBack ? [line(t("door_to_give_back"), won(door.toGiveBack), "door-to-give-back"), h("p", { class: "quiet" }, t("door_to_give_back_text"))] : null,
    order.refunded_krw ? line(t("refunded"), won(order.refunded_krw), "refunded") : null,
    order.outside_krw ? line(t("refunded_outside"), won(order.outside_krw), "refunded-outside") : null,
    order.kept_krw ? line(t("refund_fee"), won(order.kept_krw), "fee-kept") : null,
    order.compensation_krw ? [line(t("compensation"), won(order.compensation_krw), "compensation"), h("p", { class: "quiet" }, t("compensation_text"))] : null,
  ].flat();
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
    h("div", { class: "headed" }, h("h2", { id: "tickets-title" }, t("tickets", { count: live.length })), live.length > 1 ? download(`${path}/tickets.pdf`, t("tickets_pdf"), { symbol: "print", isSmall: true, testid: "tickets-pdf" }) : null),
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
            h("span", { class: "stub__text" }, h("strong", {}, placeName(ticket.place.label)), h("span", {}, kindOf(ticket.place)), offer ? h("span", { class: "quiet" }, moment(offer.starts_at)) : null, h("span", { class: "stub__open" }, ticket.used_at ? t("ticket_used", { when: moment(ticket.used_at) }) : t("show_ticket"), icon("right"))),
          ),
        ),
      ),
    ),
  );
}

function cancellation(order) {
  const allowed = order.cancellation;
  if (["CANCELLED", "REFUNDED", "REFUNDING"].includes(order.status)) return null;
  const rules = order.status === "ISSUED" && terms ? h("details", { class: "more" }, h("summary", {}, t("terms")), h("div", { class: "prose" }, termsList(terms, order.performance_id, { isPaid: Boolean(order.payment) }))) : null;
  // Somebody is in already, or has paid at the entrance; who is not, and has not, may still give the ticket back.
  const isPartly = ["already_used", "paid_at_door"].includes(allowed.reason) && order.tickets.some(isOpen);
  if (!allowed.allowed && !isPartly) {
    const reasons = { too_late_to_cancel: t("cancel_too_late"), payment_in_progress: t("cancel_in_progress"), already_used: t("cancel_used"), paid_at_door: t("cancel_paid_at_door") };
    return [h("p", { class: "quiet cancel" }, reasons[allowed.reason] || t("cancel_not_now")), rules];
  }
  const isMany = order.status === "ISSUED" && order.tickets.filter((ticket) => ticket.status === "LIVE").length > 1;
  const partly = allowed.reason === "paid_at_door" ? h("p", { class: "quiet" }, t("cancel_paid_at_door_partly")) : null;
  const button = h("button", { type: "button", class: "button button--danger", "data-testid": "cancel-order" }, t(isMany ? "refund_choose" : "cancel_booking"));
  button.addEventListener("click", () => cancel(order, button));
  return [h("div", { class: "cancel" }, allowed.until ? h("p", { class: "quiet" }, t("cancel_until", { when: moment(allowed.until) })) : null, partly, button), rules];
}

async function cancel(order, button) {
  const after = order.status === "ISSUED" ? await giveBack(order) : await close(order, button);
  if (!after) {
    watching.now(); // it may have been done, and the answer lost
    return;
  }
  draw(after);
  $("main").focus({ preventScroll: true });
  scrollTo({ top: 0 });
  announce($("outcome-title").textContent);
  watching.now();
}

/** Give up an order that is not paid yet; the order as it is then, or null. */
async function close(order, button) {
  if (!(await ask({ title: t("cancel_title"), text: t("cancel_text", { count: order.places.length }), yes: t("cancel_yes"), no: t("cancel_no"), isDanger: true, testid: "cancel-confirm" }))) return null;
  return busy(button, async () => {
    try {
      return (await api("POST", `${path}/cancel`, { timeoutMs: 40000 })).body;
    } catch (problem) {
      if (!goToLogin(problem)) toast(problem.message, "bad");
      watching.now();
      return null;
    }
  });
}
