// Ordering what is in the cart.
import { api, dropKey, stableKey } from "./api.js";
import { itemsOf } from "./cart.js";
import { t } from "./client.js";

/** PROBLEM of an order in words: the shop that says nothing is told from one that says what is the matter. */
export const shopProblem = (problem) => (["offline", "unknown"].includes(problem.code) && problem.isPassing ? t("shop_down") : problem.message);

const ENDED = ["CANCELLED", "REFUNDING", "REFUNDED"];

export const readShop = async () => (await api("GET", "/api/merch/products", { timeoutMs: 8000 })).body;
/** What can be bought now: nothing once the event is over. */
export const readProducts = async () => {
  const shop = await readShop();
  return shop.on_sale === false ? [] : shop.products;
};

/**
 * Order LINES, with the booking TICKETORDER or alone; resolves to where to go next: the provider's page, or the order's.
 * The same lines again in this tab are the same order, whatever became of the answer; one that has ended since is ordered anew.
 */
export async function orderLines(lines, ticketOrder = null) {
  const items = itemsOf(lines);
  const purpose = `shop.${ticketOrder || ""}.${JSON.stringify(items)}`;
  const json = { items, ...(ticketOrder ? { ticket_order: ticketOrder } : {}) };
  for (;;) {
    const { status, body } = await api("POST", "/api/merch/orders", { json, key: stableKey(purpose), timeoutMs: 40000 });
    dropKey(purpose);
    if (status === 200 && ENDED.includes(body.status)) continue;
    const next = body.payment?.redirect_url;
    return next && /^https?:\/\//.test(next) ? next : `/shop/orders/${encodeURIComponent(body.id)}`;
  }
}
