// The shop: products, a cart that stays in this browser, an order and its payment.
import { api, goToLogin, stableKey, dropKey } from "../lib/api.js";
import { client, t } from "../lib/client.js";
import { $, announce, busy, h, icon, note, show } from "../lib/dom.js";
import { number, won } from "../lib/format.js";
import { methodBox, payLabel } from "../lib/payment.js";
import { session } from "../lib/session.js";
import "../lib/page.js";

const MEMORY = "clove.cart";
const MOST_OF_ONE = 20;
let products = [];
let cart = new Map(JSON.parse(session.read(MEMORY) || "[]"));

async function start() {
  await load();
  show($("loading"), false);
}

async function load() {
  try {
    products = (await api("GET", "/api/merch/products")).body.products;
  } catch (problem) {
    const again = h("button", { type: "button", class: "button button--small", on: { click: () => location.reload() } }, t("try_again"));
    note($("problem"), "info", problem.isPassing ? t("shop_down") : problem.message, again);
    return;
  }
  show($("shop"), products.length > 0);
  if (!products.length) note($("problem"), "info", t("shop_empty"));
  draw();
}

const most = (product) => Math.min(MOST_OF_ONE, product.left);

function set(product, quantity) {
  const allowed = Math.max(0, Math.min(quantity, most(product)));
  if (allowed) cart.set(product.id, allowed);
  else cart.delete(product.id);
  dropKey("shop"); // another cart is another order
  session.write(MEMORY, JSON.stringify([...cart]));
  draw();
  announce(`${product.name} ${t("pieces", { count: allowed })}, ${t("total")} ${won(total())}`);
}

const lines = () => products.filter((product) => cart.get(product.id)).map((product) => ({ product, quantity: Math.min(cart.get(product.id), most(product)) })).filter((line) => line.quantity);
const total = () => lines().reduce((sum, { product, quantity }) => sum + product.price_krw * quantity, 0);

function draw() {
  const focused = document.activeElement?.dataset?.key;
  $("products").replaceChildren(...products.map(card));
  const chosen = lines();
  $("cart").replaceChildren(...chosen.map(({ product, quantity }) => h("li", { class: "chosen__item" }, h("span", { class: "chosen__text" }, h("strong", {}, product.name), h("span", { class: "quiet" }, `${won(product.price_krw)} × ${quantity}`)), h("strong", {}, won(product.price_krw * quantity)))));
  show($("cart-empty"), !chosen.length);
  $("total").textContent = chosen.length ? won(total()) : "–";
  $("method").replaceChildren(chosen.length ? methodBox(client.payment, client.payment_test, total()) : "");
  $("order").setAttribute("aria-disabled", String(!chosen.length));
  $("order").textContent = chosen.length ? payLabel(client.payment, total()) : t("order_verb");
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function card(product) {
  const quantity = Math.min(cart.get(product.id) || 0, most(product));
  const isGone = product.left === 0;
  const button = (by, name, symbol, isOff) =>
    h("button", { type: "button", class: "stepper__button", "aria-label": name, "aria-disabled": String(isOff), "data-key": `${product.id}${by}`, on: { click: () => !isOff && set(product, quantity + by) } }, icon(symbol));
  return h(
    "li",
    { class: `product${isGone ? " is-gone" : ""}`, "data-testid": `product-${product.id}` },
    h("div", { class: "product__picture", "aria-hidden": "true" }, icon("bag")),
    h("div", { class: "product__text" }, h("h2", { class: "product__name", id: `product-${product.id}` }, product.name), product.description ? h("p", { class: "quiet" }, product.description) : null, h("p", {}, h("strong", {}, won(product.price_krw)), " ", h("span", { class: "quiet" }, isGone ? t("sold_out") : product.left <= 20 ? t("left_pieces", { count: number(product.left) }) : ""))),
    isGone
      ? null
      : h("span", { class: "stepper", role: "group", "aria-labelledby": `product-${product.id}` }, button(-1, t("one_less", { name: product.name }), "minus", quantity === 0), h("output", { class: "stepper__count" }, String(quantity)), button(1, t("one_more", { name: product.name }), "plus", quantity >= most(product))),
  );
}

async function order() {
  const items = lines().map(({ product, quantity }) => ({ product: product.id, quantity }));
  if (!items.length) return;
  try {
    const { body } = await api("POST", "/api/merch/orders", { json: { items }, key: stableKey("shop"), timeoutMs: 40000 });
    cart = new Map();
    session.write(MEMORY, "[]");
    dropKey("shop");
    const next = body.payment?.redirect_url;
    location.assign(next && /^https?:\/\//.test(next) ? next : `/shop/orders/${encodeURIComponent(body.id)}`);
    await new Promise(() => {});
  } catch (problem) {
    if (goToLogin(problem)) return;
    note($("problem"), problem.isPassing ? "bad" : "warn", problem.isPassing ? t("shop_down") : problem.message);
    $("problem").scrollIntoView({ block: "center" });
    await load();
  }
}

$("order").addEventListener("click", (event) => busy(event.currentTarget, order).then(draw));

start();
