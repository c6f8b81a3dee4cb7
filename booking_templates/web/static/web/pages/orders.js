// My bookings: open holds, orders, and orders from the shop where there is one.
import { api, goToLogin } from "../lib/api.js";
import { client, embedded, t } from "../lib/client.js";
import { $, busy, h, icon, note, show } from "../lib/dom.js";
import { day, moment, won } from "../lib/format.js";
import { itemText } from "../lib/items.js";
import { grouped, placeName } from "../lib/places.js";
import { statusChip } from "../lib/status.js";
import { calledOff, readTerms } from "../lib/terms.js";
import "../lib/page.js";

const offers = new Map(embedded("performances", []).map((each) => [each.id, each]));
const when = (id) => (offers.has(id) ? moment(offers.get(id).starts_at) : t("booking"));
const labels = (places) => grouped(places.map(({ label }) => ({ label }))).map((line) => (line.count > 1 ? `${placeName(line.label)} × ${line.count}` : placeName(line.label))).join(", ");

function row(href, title, text, side, foot, testid) {
  return h(
    "li",
    { class: "row", "data-testid": testid },
    h("a", { class: "row__link", href }, h("span", { class: "row__main" }, h("strong", { class: "row__title" }, title), h("span", { class: "row__text" }, text), h("span", { class: "row__foot quiet" }, foot)), h("span", { class: "row__side" }, side), icon("right")),
  );
}

const offChip = () => h("span", { class: "status status--bad", "data-testid": "called-off" }, t("called_off"));

const query = (before) => (before ? `?before=${encodeURIComponent(before)}` : "");

/** A line that LOADs those before. */
function more(load) {
  const button = h("button", { type: "button", class: "button button--wide", "data-testid": "more" }, t("show_more"));
  const line = h("li", {}, button);
  button.addEventListener("click", () => busy(button, () => load().then(() => line.remove(), failed)));
  return line;
}

async function orders(before) {
  const [{ body }, terms] = await Promise.all([api("GET", `/api/ticket/orders${query(before)}`), readTerms()]);
  const off = calledOff(terms);
  $("orders").append(
    ...body.orders.map((order) =>
      row(`/orders/${order.id}`, when(order.performance_id), labels(order.places), off.has(order.performance_id) && order.status !== "CANCELLED" ? [offChip(), " ", statusChip(order.status)] : statusChip(order.status), `${t("order_number", { number: order.number })} · ${won(order.total_krw)} · ${t("booked_on", { day: day(order.created_at) })}`, "order"),
    ),
  );
  if (body.next) $("orders").append(more(() => orders(body.next)));
  return body.orders.length;
}

async function holds() {
  const { body } = await api("GET", "/api/seat/holds");
  const open = body.holds.filter((hold) => !hold.pinned);
  show($("holds"), open.length > 0);
  $("hold-list").replaceChildren(...open.map((hold) => row(`/checkout/${hold.id}`, when(hold.performance_id), labels(hold.places), h("span", { class: "status status--wait" }, t("go_on_paying")), won(hold.total_krw), "hold")));
  return open.length;
}

async function shopOrders(before) {
  const { body } = await api("GET", `/api/merch/orders${query(before)}`);
  if (!before) show($("shop-orders"), body.orders.length > 0);
  $("shop-list").append(
    ...body.orders.map((order) =>
      row(`/shop/orders/${order.id}`, order.items.map(itemText).join(", "), won(order.total_krw), statusChip(order.status, { isMerchandise: true }), t("shop_ordered_on", { day: day(order.created_at) }), "shop-order"),
    ),
  );
  if (body.next) $("shop-list").append(more(() => shopOrders(body.next)));
}

function failed(problem) {
  if (goToLogin(problem)) return;
  const again = h("button", { type: "button", class: "button button--small", on: { click: () => location.reload() } }, t("try_again"));
  note($("problem"), "bad", problem.isPassing ? t("orders_down") : problem.message, again);
}

async function start() {
  const open = holds().catch(() => 0); // seats being down must not hide what is bought
  if (client.has_shop) {
    shopOrders().catch((problem) => {
      if (problem.status === 401) return;
      show($("shop-orders"));
      note($("shop-problem"), "info", t("shop_down"));
    });
  }
  try {
    const count = await orders();
    show($("empty"), count === 0 && (await open) === 0);
  } catch (problem) {
    failed(problem);
  }
  show($("loading"), false);
}

start();
