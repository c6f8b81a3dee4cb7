// What an order's page says first. Pure but for the texts.
import { t } from "./client.js";

/** {kind: good|wait|off, title, text} for ORDER of tickets. */
export function headline(order) {
  const say = (kind, key) => ({ kind, title: t(`${key}_title`), text: t(`${key}_text`) });
  switch (order.status) {
    case "ISSUED":
      return say("good", "issued");
    case "REFUNDING":
      return say("wait", "refunding");
    case "REFUNDED":
      return say("off", order.reason === "buyer" || !order.reason || order.tickets?.length ? "refunded" : "refunded_unissued");
    case "CANCELLED":
      return say("off", "cancelled");
    default:
      return order.is_settling || !order.payment?.redirect_url ? say("wait", "settling") : say("off", "unpaid");
  }
}
