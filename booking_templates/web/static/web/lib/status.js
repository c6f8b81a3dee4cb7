// An order's status in words and colour.
import { t } from "./client.js";
import { h } from "./dom.js";

const KIND = { PENDING: "wait", PAYING: "wait", ISSUED: "good", CANCELLED: "off", REFUNDED: "off", REFUNDING: "wait" };

export const isFinal = (order) => ["ISSUED", "CANCELLED", "REFUNDED"].includes(order.status) && !order.is_settling;

/** Of an order of tickets, or of merchandise. */
export function statusChip(status, { isMerchandise = false } = {}) {
  const key = isMerchandise && status === "ISSUED" ? "shop_status_issued" : `status_${status.toLowerCase()}`;
  return h("span", { class: `status status--${KIND[status] || "wait"}`, "data-testid": "order-status", "data-status": status }, t(KIND[status] ? key : "status_pending"));
}
