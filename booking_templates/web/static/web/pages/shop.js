// The shop: products and a cart, an order and its payment; by itself, or beside a booking.
import { goToLogin } from "../lib/api.js";
import { readCart, totalOf } from "../lib/cart.js";
import { client, t } from "../lib/client.js";
import { $, busy, h, note, show } from "../lib/dom.js";
import { won } from "../lib/format.js";
import { methodBox, payLabel } from "../lib/payment.js";
import { Shelf, lineList } from "../lib/products.js";
import { orderLines, readShop, shopProblem } from "../lib/shop.js";
import "../lib/page.js";

const booking = $("shop").dataset.booking || null;
const shelf = new Shelf($("products"), readCart(), draw);

async function start() {
  if (booking) note($("beside"), "info", t("shop_beside"), h("a", { class: "button button--small", href: `/orders/${encodeURIComponent(booking)}` }, t("booking")));
  await load();
  show($("loading"), false);
}

async function load() {
  let shop;
  try {
    shop = await readShop();
  } catch (problem) {
    const again = h("button", { type: "button", class: "button button--small", on: { click: () => location.reload() } }, t("try_again"));
    note($("problem"), "info", problem.isPassing ? t("shop_down") : problem.message, again);
    return;
  }
  const { products } = shop;
  if (shop.on_sale === false) {
    show($("shop"), false);
    note($("problem"), "info", t(shop.is_called_off ? "shop_called_off" : "shop_over"), h("a", { class: "button button--small", href: "/orders" }, t("my_bookings")));
    return;
  }
  show($("shop"), products.length > 0);
  if (!products.length) note($("problem"), "info", t("shop_empty"));
  shelf.stock(products);
}

function draw(lines) {
  const total = totalOf(lines);
  $("cart").replaceChildren(...lineList(lines));
  show($("cart-empty"), !lines.length);
  $("total").textContent = lines.length ? won(total) : "–";
  $("method").replaceChildren(lines.length ? methodBox(client.payment, client.payment_test, total) : "");
  $("order").setAttribute("aria-disabled", String(!lines.length));
  $("order").textContent = lines.length ? payLabel(client.payment, total) : t("order_verb");
}

async function order() {
  const { lines } = shelf;
  if (!lines.length) return;
  try {
    const next = await orderLines(lines, booking);
    shelf.empty();
    location.assign(next);
    await new Promise(() => {});
  } catch (problem) {
    if (goToLogin(problem)) return;
    note($("problem"), problem.isPassing ? "bad" : "warn", shopProblem(problem));
    $("problem").scrollIntoView({ block: "center" });
    await load();
  }
}

$("order").addEventListener("click", (event) => busy(event.currentTarget, order).then(() => draw(shelf.lines)));

start();
