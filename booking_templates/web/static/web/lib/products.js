// Products to choose from: picture, option, how many. The same at the shop and beside a booking.
import { t } from "./client.js";
import { announce, h, icon } from "./dom.js";
import { number, won } from "./format.js";
import { followCart, keyOf, linesOf, mostOf, nameOf, totalOf, writeCart } from "./cart.js";

const FEW = 20;

export class Shelf {
  /** Shows PRODUCTS in PLACE; CHANGED(lines) is told whenever CART changes. */
  constructor(place, cart, changed) {
    this.place = place;
    this.cart = cart;
    this.changed = changed;
    this.products = [];
    this.options = new Map(); // product -> the option that its stepper counts
    followCart((now) => {
      this.cart = now;
      this.draw();
    });
  }

  stock(products) {
    this.products = products;
    for (const line of this.lines) if (line.option && !this.options.has(line.product.id)) this.options.set(line.product.id, line.option.id);
    this.draw();
  }

  get lines() {
    return linesOf(this.products, this.cart);
  }

  empty() {
    this.cart.clear();
    writeCart(this.cart);
    this.draw();
  }

  draw() {
    const focused = document.activeElement?.dataset?.key;
    this.place.replaceChildren(...this.products.map((product) => this.card(product)));
    if (focused) this.place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.changed(this.lines);
  }

  set(product, option, quantity) {
    const { left } = option || product;
    const key = keyOf(product, option);
    const allowed = Math.max(0, Math.min(quantity, left, this.room(product, option)));
    if (allowed) this.cart.set(key, allowed);
    else this.cart.delete(key);
    writeCart(this.cart);
    this.draw();
    announce(`${nameOf({ product, option })} ${t("pieces", { count: allowed })}, ${t("total")} ${won(totalOf(this.lines))}`);
  }

  /** How many of PRODUCT may be in the cart as OPTION, beside those of its other options. */
  room(product, option) {
    const others = this.lines.filter((line) => line.product === product && line.option !== option);
    return others.reduce((left, line) => left - line.quantity, mostOf(product));
  }

  card(product) {
    const options = product.options || [];
    const option = options.find((each) => each.id === this.options.get(product.id)) || null;
    const isGone = product.left === 0;
    return h(
      "li",
      { class: `product${isGone ? " is-gone" : ""}`, "data-testid": `product-${product.id}` },
      picture(product),
      h(
        "div",
        { class: "product__text" },
        h("h3", { class: "product__name", id: `product-${product.id}` }, product.name),
        product.description ? h("p", { class: "quiet" }, product.description) : null,
        isGone ? null : h("p", { class: "quiet" }, t("limit_pieces", { count: number(mostOf(product)) })),
        h("p", {}, h("strong", {}, price(product, option)), " ", h("span", { class: "quiet" }, leftOf(option || (options.length ? { left: isGone ? 0 : Infinity } : product)))),
      ),
      isGone ? null : h("div", { class: "product__choice" }, options.length ? this.choice(product, option) : null, this.stepper(product, option, options.length > 0)),
    );
  }

  choice(product, option) {
    const id = `option-${product.id}`;
    const select = h(
      "select",
      { id, "data-key": id, on: { change: () => (this.options.set(product.id, select.value), this.draw()) } },
      h("option", { value: "", disabled: true, selected: !option }, t("choose_option")),
      product.options.map((each) => {
        const more = each.extra_krw ? ` (+${won(each.extra_krw)})` : "";
        return h("option", { value: each.id, disabled: each.left === 0, selected: each === option }, `${each.name}${more}${each.left === 0 ? ` – ${t("sold_out")}` : ""}`);
      }),
    );
    return h("div", { class: "product__option" }, h("label", { for: id }, product.option_label || t("option")), select);
  }

  stepper(product, option, needsOption) {
    const target = option || product;
    const quantity = Math.min(this.cart.get(keyOf(product, option)) || 0, target.left);
    const most = needsOption && !option ? 0 : Math.min(this.room(product, option), target.left);
    const name = nameOf({ product, option });
    const button = (by, text, symbol, isOff) =>
      h("button", { type: "button", class: "stepper__button", "aria-label": text, "aria-disabled": String(isOff), "data-key": `${product.id}${by}`, on: { click: () => (isOff ? this.remind(product, needsOption && !option) : this.set(product, option, quantity + by)) } }, icon(symbol));
    return h("span", { class: "stepper", role: "group", "aria-labelledby": `product-${product.id}` }, button(-1, t("one_less", { name }), "minus", quantity === 0), h("output", { class: "stepper__count" }, String(quantity)), button(1, t("one_more", { name }), "plus", quantity >= most));
  }

  remind(product, isMissing) {
    if (!isMissing) return;
    announce(t("choose_option_first"), { now: true });
    document.getElementById(`option-${product.id}`).focus();
  }
}

function picture(product) {
  if (!product.picture) return h("div", { class: "product__picture", "aria-hidden": "true" }, icon("bag"));
  const { url, width, height } = product.picture;
  return h("img", { class: "product__picture product__picture--photo", src: url, width, height, alt: "", loading: "lazy", decoding: "async" });
}

/** What one costs; of options that differ, from the least to the most. */
function price(product, option) {
  if (option) return won(option.price_krw);
  const prices = (product.options || []).map((each) => each.price_krw);
  const [least, most] = prices.length ? [Math.min(...prices), Math.max(...prices)] : [product.price_krw, product.price_krw];
  return least === most ? won(least) : `${won(least)} – ${won(most)}`;
}

const leftOf = ({ left }) => (left === 0 ? t("sold_out") : left <= FEW ? t("left_pieces", { count: number(left) }) : "");

/** The chosen LINES as a list. */
export const lineList = (lines) =>
  lines.map((line) => h("li", { class: "chosen__item" }, h("span", { class: "chosen__text" }, h("strong", {}, nameOf(line)), h("span", { class: "quiet" }, `${won(line.price_krw)} × ${line.quantity}`)), h("strong", {}, won(line.price_krw * line.quantity))));
