// Merchandise beside a booking: chosen at checkout, ordered and paid by itself once the tickets are there.
import { api, goToLogin } from "./api.js";
import { readCart, totalOf } from "./cart.js";
import { client, t } from "./client.js";
import { busy, fill, h, icon, note, show } from "./dom.js";
import { won } from "./format.js";
import { itemText } from "./items.js";
import { payLabel } from "./payment.js";
import { Shelf, lineList } from "./products.js";
import { orderLines, readProducts, shopProblem } from "./shop.js";
import { statusChip } from "./status.js";

/** At checkout: products to add, in PLACE. While the shop is away it says so, and the tickets are sold all the same. */
export async function offerExtras(place) {
  const sum = h("p", { class: "quiet", "data-testid": "extras-total" });
  const list = h("ul", { class: "products products--beside" });
  const shelf = new Shelf(list, readCart(), (lines) => (sum.textContent = lines.length ? t("extras_later", { amount: won(totalOf(lines)) }) : t("extras_text")));
  show(place);
  try {
    const products = await readProducts();
    show(place, products.length > 0);
    shelf.stock(products);
  } catch {
    fill(place.querySelector("[data-part=body]"), h("p", { class: "quiet", "data-testid": "shop-down" }, t("shop_down")));
    return;
  }
  fill(place.querySelector("[data-part=body]"), sum, h("details", { class: "more", open: shelf.lines.length > 0 }, h("summary", { "data-testid": "extras-open" }, t("extras_choose")), list));
}

/** At the booking ORDER, as long as ISSTANDING(): what was bought with it, and what still waits in the cart. */
export async function showExtras(place, order, isStanding) {
  const problem = h("div", { role: "alert" });
  let orders = [];
  let lines = [];
  try {
    const [bought, products] = await Promise.all([api("GET", `/api/merch/orders?ticket_order=${encodeURIComponent(order.id)}`, { timeoutMs: 8000 }), readProducts()]);
    orders = bought.body.orders;
    let box = null;
    const shelf = new Shelf(h("ul", {}), readCart(), (now) => now.length || box?.remove());
    shelf.stock(products);
    lines = shelf.lines;
    box = lines.length ? waiting(lines, order, shelf, problem) : null;
    if (!isStanding() || (!orders.length && !products.length)) return;
    fill(place, h("h2", { id: "extras-title" }, t("extras")), orders.length ? rows(orders) : null, box, problem, h("p", { class: "extras__more" }, h("a", { class: "button button--small", href: `/shop?booking=${encodeURIComponent(order.id)}`, "data-testid": "extras-shop" }, icon("bag"), t("extras_choose"))));
  } catch {
    if (!isStanding()) return;
    fill(place, h("h2", { id: "extras-title" }, t("extras")), h("p", { class: "quiet", "data-testid": "shop-down" }, t("shop_down")));
  }
  show(place);
}

const isLeft = (order) => order.status === "PAYING" || (order.status === "ISSUED" && !order.picked_up_at);

/** At the booking ORDER that its buyer has given back, as long as ISSTILL(): what was bought with it goes back by itself alone. */
export async function showLeft(place, order, isStill) {
  try {
    const { body } = await api("GET", `/api/merch/orders?ticket_order=${encodeURIComponent(order.id)}`, { timeoutMs: 8000 });
    const left = body.orders.filter(isLeft);
    if (!left.length || !isStill()) return;
    fill(place, h("h2", { id: "extras-title" }, t("extras")), h("p", {}, t("extras_left")), rows(left));
    show(place);
  } catch {
    // They are under My bookings all the same.
  }
}

const rows = (orders) =>
  h("ul", { class: "rows" }, orders.map((each) => h("li", { class: "row" }, h("a", { class: "row__link", href: `/shop/orders/${each.id}`, "data-testid": "extras-order" }, h("span", { class: "row__main" }, h("strong", {}, each.items.map(itemText).join(", ")), h("span", { class: "row__foot quiet" }, won(each.total_krw))), h("span", { class: "row__side" }, statusChip(each.status, { isMerchandise: true })), icon("right")))));

function waiting(lines, order, shelf, problem) {
  const button = h("button", { type: "button", class: "button button--primary", "data-testid": "extras-pay" }, payLabel(client.payment, totalOf(lines)));
  button.addEventListener("click", () =>
    busy(button, async () => {
      try {
        const next = await orderLines(lines, order.id);
        shelf.empty();
        location.assign(next);
        await new Promise(() => {});
      } catch (failure) {
        if (!goToLogin(failure)) note(problem, failure.isPassing ? "bad" : "warn", shopProblem(failure));
      }
    }),
  );
  const drop = h("button", { type: "button", class: "button button--plain", on: { click: () => (shelf.empty(), box.remove()) } }, t("extras_drop"));
  const box = h("div", { class: "card card--quiet", "data-testid": "extras-waiting" }, h("p", {}, t("extras_waiting")), h("ul", { class: "chosen" }, lineList(lines)), h("p", { class: "note__actions" }, button, drop));
  return box;
}
