// What comes of a code: the server says it, or, while the network is away, its signature and the list that was kept.

import { isSigned, read } from "./scan-code.js";
import { doorNow } from "./scan-door.js";
import { owing } from "./scan-dues.js";
import { enqueue, remember, seenHere } from "./scan-here.js";
import { listOf } from "./scan-kept.js";
import { $, asked, element, show, texts } from "./scan-page.js";
import { ask } from "./scan-server.js";
import { ageOf, isOld, network, timeOf } from "./scan-status.js";

/** CODE was seen. */
export async function scanned(code) {
  const at = new Date().toISOString();
  try {
    const answer = await ask("POST", "scans?let_in=false", { scans: [{ code, at }], performance: $("performance").value });
    if (answer.results[0].result === "admitted") remember(read(code)?.ticket);
    told(answer.results[0]);
    network(true);
  } catch (error) {
    if (error.hasEnded) show("warn", texts.keyEnded);
    else await withoutNetwork(code, at);
  }
}

function told(result) {
  const isIn = result.result === "admitted";
  const known = { krw: result.due_krw || result.paid_at_door_krw, isPaid: !result.due_krw };
  const when = result.result === "used" && result.used_at ? `${new Date(result.used_at).toLocaleTimeString()} ${result.used_with}` : "";
  const proof = isIn && result.concession ? [{ name: result.concession, proof: result.proof }] : [];
  const money = isIn || result.result === "used" ? owing(result.code, result.ticket, known, Date.now()) : [];
  const lines = [result.label, [result.grade, result.buyer_name].filter(Boolean).join(" · "), when];
  show(isIn ? "good" : "bad", texts[result.result] ?? texts.invalid, lines, [...proof, ...money]);
}

async function withoutNetwork(code, at) {
  const door = doorNow();
  const seen = read(code);
  if (!seen || (door?.system && seen.system !== door.system)) return show("bad", texts.invalid);
  const signed = door ? await isSigned(seen, door.keys) : null;
  if (signed === null) return show("warn", texts.undecided, [seen.place]);
  if (!signed) return show("bad", texts.invalid);
  const wanted = $("performance").value;
  if (wanted && seen.performance !== wanted) return show("bad", texts.other_performance, [seen.place]);
  byList(code, at, seen);
}

/** SEEN, which is signed, by the list of its performance. */
function byList(code, at, seen) {
  const list = listOf(seen.performance);
  const isInHere = seenHere().includes(seen.ticket);
  if (!list) return isInHere ? show("bad", texts.used, [seen.place]) : show("warn", texts.noList, [seen.place]);
  const old = isOld(list) ? [{ name: texts.oldList, proof: ageOf(list) }] : [];
  const lines = [seen.place, old.length ? "" : ageOf(list)];
  if (list.cancelled.includes(seen.ticket)) return show("bad", texts.cancelled, lines, old);
  const due = (list.due ?? []).find((each) => each.tickets.includes(seen.ticket));
  const money = owing(code, seen.ticket, { krw: due?.krw, isPaid: false }, list.at);
  if (isInHere || list.used.includes(seen.ticket)) return show("bad", texts.used, lines, [...old, ...money]);
  if (!isKnownTo(list, seen)) return show("warn", texts.newer, [seen.place], [undecided(code, seen, list), ...old]);
  remember(seen.ticket);
  enqueue({ code, at });
  const proof = (list.concessions ?? []).find((each) => each.tickets.includes(seen.ticket));
  show("good", texts.admittedOffline, lines, [...(proof ? [proof] : []), ...old, ...money]);
  network(false);
}

/** Whether SEEN had been issued when LIST was made: then LIST says all there was to say of it. The server's clock says both times. */
function isKnownTo(list, { ticket, issuedAt }) {
  if (issuedAt === null) return false;
  return issuedAt < Date.parse(list.recent_since ?? list.as_of) || (list.recent ?? []).includes(ticket);
}

/** Who stands at the door decides of SEEN: it was sold, and whether it was given back since, or owes something, is known to nobody here. */
function undecided(code, seen, list) {
  const block = asked({ name: texts.newerThan.replace("{time}", timeOf(list)), proof: texts.newerWhy });
  const button = Object.assign(element("button", texts.letIn), { type: "button" });
  button.addEventListener("click", () => {
    // A hand scanner types, and ends with Enter: not on a button.
    if (matchMedia("(pointer: fine)").matches) $("code").focus();
    if (seenHere().includes(seen.ticket)) return show("bad", texts.used, [seen.place]); // in another tab, meanwhile
    remember(seen.ticket);
    enqueue({ code, at: new Date().toISOString(), decided: true });
    show("good", texts.decided, [seen.place]);
    network(false);
  });
  block.append(button);
  return { block, logged: "" };
}
