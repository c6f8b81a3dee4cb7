// What is to be paid at the door: asked for, taken, taken back, and told to the server.

import { moment } from "./scan-clock.js";
import { isNotIn, payments } from "./scan-here.js";
import { store } from "./scan-kept.js";
import { $, asked, element, log, texts, won } from "./scan-page.js";
import { ASK_WITHIN_MS, ask } from "./scan-server.js";
import { counts, ended, network } from "./scan-status.js";

const owed = () => store.get("owed", {}); // by ticket, what was taken here or taken back

/** Of a ticket: what to show of its price, or nothing when none is, or was, to be paid here. KNOWN is what the server last said, at KNOWNAT. */
export function owing(code, ticket, known, knownAt) {
  const own = owed()[ticket];
  const isNewer = own && (own.at > knownAt || payments().some((each) => each.code === code));
  const { krw, isPaid } = isNewer ? own : known;
  return krw ? [{ block: moneyBlock({ code, ticket, krw, isPaid }), logged: isPaid ? "" : `${texts.due} ${won(krw)}` }] : [];
}

/** What is to be paid for a ticket at the door, or was, with the button that says so. */
function moneyBlock({ code, ticket, krw, isPaid }) {
  const block = asked({ name: isPaid ? texts.paid : texts.due, proof: won(krw) });
  block.classList.toggle("paid", isPaid);
  const button = Object.assign(element("button", isPaid ? texts.notPaid : texts.markPaid), { type: "button" });
  button.addEventListener("click", () => {
    block.replaceWith(moneyBlock({ code, ticket, krw, isPaid: !isPaid }));
    // A hand scanner types, and ends with Enter: not on the button that takes it back.
    if (matchMedia("(pointer: fine)").matches) $("code").focus();
    pay({ code, ticket, krw, isPaid: !isPaid });
  });
  block.append(button);
  return block;
}

/** Kept before it is sent: the money is in the till, whatever becomes of the network. */
async function pay({ code, ticket, krw, isPaid }) {
  const at = moment();
  store.set("payments", [...payments(), { code, at, is_paid: isPaid }]);
  store.set("owed", { ...owed(), [ticket]: { krw, isPaid, at: Date.now() } });
  log(`${isPaid ? texts.paid : texts.notPaid}: ${won(krw)}`);
  counts();
  try {
    await sendPayments(ASK_WITHIN_MS);
    counts();
  } catch (error) {
    if (error.hasEnded) ended();
    else network(false);
  }
}

/** Sent twice is fine: the server knows each by its time. */
export async function sendPayments(withinMs) {
  for (let batch; (batch = payments().slice(0, 100)).length; ) {
    const { results } = await ask("POST", "door/payments", { payments: batch }, withinMs);
    results.forEach(({ result, ticket, label, paid_with }, index) => {
      if (result === "paid_before") log(`! ${texts.paidTwice}: ${label} (${paid_with})`);
      else if (result === "cancelled" && batch[index].is_paid) log(`! ${texts.paidCancelled}: ${label}`);
      else if (result !== "paid" && batch[index].is_paid) log(`! ${texts.notKept}: ${label}`);
      if (owed()[ticket]) store.set("owed", { ...owed(), [ticket]: { ...owed()[ticket], at: Date.now() } });
    });
    store.set("payments", payments().filter(isNotIn(batch)));
  }
}
