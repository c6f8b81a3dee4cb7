// The shop's cart: what is chosen of which product, in which option. It stays in this browser until it is ordered.
import { browser } from "./storage.js";

const MEMORY = "clove.cart";
const MOST_OF_ONE = 20;

/** How many of PRODUCT go into the cart. */
export const mostOf = (product) => product.limit_per_buyer ?? MOST_OF_ONE;

export const keyOf = (product, option = null) => (option ? `${product.id}/${option.id}` : product.id);

/** The lines of CART (key -> quantity) that PRODUCTS still offer, in the shop's order, none more than there is. Pure. */
export function linesOf(products, cart) {
  const offered = products.flatMap((product) => ((product.options || []).length ? product.options.map((option) => ({ product, option })) : [{ product, option: null }]));
  const room = new Map(); // of what one buyer may have of a product, whatever the option
  return offered
    .map(({ product, option }) => {
      const { left, price_krw } = option || product;
      const may = room.get(product.id) ?? mostOf(product);
      const quantity = Math.min(cart.get(keyOf(product, option)) || 0, left, may);
      room.set(product.id, may - quantity);
      return { key: keyOf(product, option), product, option, price_krw, quantity };
    })
    .filter((line) => line.quantity > 0);
}

export const totalOf = (lines) => lines.reduce((sum, line) => sum + line.price_krw * line.quantity, 0);
export const nameOf = (line) => (line.option ? `${line.product.name} ${line.option.name}` : line.product.name);
/** LINES as the shop's service takes them. */
export const itemsOf = (lines) => lines.map(({ product, option, quantity }) => ({ product: product.id, quantity, ...(option ? { option: option.id } : {}) }));

/** What this browser remembers; nothing where what it remembers is unreadable. */
export function readCart() {
  try {
    const entries = JSON.parse(browser.read(MEMORY) || "[]");
    return new Map(entries.filter(([key, quantity]) => typeof key === "string" && Number.isInteger(quantity) && quantity > 0));
  } catch {
    return new Map();
  }
}

/** Tell CHANGED(cart) when another tab has changed it, or ordered what was in it. */
export function followCart(changed) {
  addEventListener("storage", (event) => event.key === MEMORY && changed(readCart()));
}

export function writeCart(cart) {
  browser.write(MEMORY, JSON.stringify([...cart]));
}
