// How a payment looks before it is made.
import { t } from "./client.js";
import { h, icon } from "./dom.js";
import { won } from "./format.js";

/** What the buyer is about to use; a test payment is marked so that nobody can mistake it. */
export function methodBox(provider, isTest, total) {
  const isOnline = provider === "kakaopay" && total > 0;
  const title = total === 0 ? t("method_free") : isOnline ? t("method_kakaopay") : provider === "none" ? t("method_door") : t("method_unknown");
  const text = total === 0 ? t("method_free_text") : isOnline ? t("method_kakaopay_text") : provider === "none" ? t("method_door_text") : t("method_unknown_text");
  const box = h("div", { class: `method${isOnline ? " method--kakaopay" : ""}` }, h("span", { class: "method__mark", "aria-hidden": "true" }, isOnline ? "pay" : icon("card")), h("div", {}, h("strong", {}, title), h("p", { class: "quiet" }, text)));
  if (!isOnline || !isTest) return box;
  return h("div", {}, box, testMark());
}

export function testMark() {
  return h("p", { class: "note note--test", "data-testid": "test-payment" }, icon("info"), h("span", {}, h("strong", {}, t("test_payment")), " ", t("test_payment_text")));
}

export const providerName = (provider) => (provider === "kakaopay" ? t("method_kakaopay") : provider);

/** PROVIDER's name with the mark of a test. */
export function testChip(provider) {
  return h("span", { "data-testid": "test-payment" }, providerName(provider), " ", h("span", { class: "status status--test" }, t("test_payment_short")));
}

export function payLabel(provider, total) {
  if (total === 0) return t("pay_free");
  if (provider === "kakaopay") return t("pay_kakaopay", { amount: won(total) });
  return provider === "none" ? t("pay_door") : t("pay_amount", { amount: won(total) });
}
