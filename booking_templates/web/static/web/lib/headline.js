// What an order's page says first. Pure but for the texts.
import { t } from "./client.js";

export const BY_ORGANISER = "organiser";
/** Somebody cancelled the payment at the provider itself, before anything was delivered. */
const PAYMENT_CANCELLED = "payment_cancelled";

/** What was paid at the entrance for tickets of ORDER, came back from the organiser's hand, and is to come still. */
export function atDoor(order) {
  const sum = (tickets, name) => tickets.reduce((total, ticket) => total + (ticket[name] || 0), 0);
  const live = (order.tickets || []).filter((ticket) => ticket.status === "LIVE");
  const gone = (order.tickets || []).filter((ticket) => ticket.status !== "LIVE");
  const back = (order.by_organiser || []).reduce((total, each) => total + (each.at_door_krw || 0), 0);
  return { due: sum(live, "due_krw"), paid: sum(live, "paid_at_door_krw"), toGiveBack: sum(gone, "paid_at_door_krw"), back };
}

/** {kind: good|wait|off, title, text} for ORDER of tickets; ISCALLEDOFF: the organiser has called its performance off. */
export function headline(order, isCalledOff = false) {
  const say = (kind, key) => ({ kind, title: t(`${key}_title`), text: t(`${key}_text`) });
  const money = atDoor(order);
  const wasPaid = money.toGiveBack || money.back;
  const isOff = order.reason === "performance_called_off";
  if (isOff && order.status === "CANCELLED") return { kind: "off", title: t("called_off_title"), text: t(wasPaid ? "cancelled_paid_text" : "called_off_cancelled_text") };
  if ((isCalledOff || isOff) && order.status !== "CANCELLED") {
    const text = order.status === "REFUNDED" ? t("called_off_refunded_text") : order.payment ? t("called_off_refunding_text") : t("called_off_text");
    return { kind: order.status === "REFUNDED" ? "off" : "wait", title: t("called_off_title"), text };
  }
  switch (order.status) {
    case "ISSUED":
      return say("good", "issued");
    case "REFUNDING":
      if (order.reason === PAYMENT_CANCELLED) return say("wait", PAYMENT_CANCELLED);
      return say("wait", "refunding");
    case "REFUNDED":
      if (order.reason === BY_ORGANISER) return { kind: "off", title: t("organiser_refunded_title"), text: t("refunded_text") };
      if (order.reason === PAYMENT_CANCELLED) return say("off", PAYMENT_CANCELLED);
      return say("off", order.reason === "buyer" || !order.reason || order.tickets?.length ? "refunded" : "refunded_unissued");
    case "CANCELLED":
      if (order.reason === BY_ORGANISER) return { kind: "off", title: t("organiser_cancelled_title"), text: t(wasPaid ? "cancelled_paid_text" : "cancelled_text") };
      return wasPaid ? { kind: "off", title: t("cancelled_title"), text: t("cancelled_paid_text") } : say("off", "cancelled");
    default:
      return order.is_settling || !order.payment?.redirect_url ? say("wait", "settling") : say("off", "unpaid");
  }
}
