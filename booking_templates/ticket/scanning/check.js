// What comes of a code: the server says it, or, while the network is away, its signature and the list that was kept.

import { moment } from "./scan-clock.js";
import { isSigned, read } from "./scan-code.js";
import { dateOf, doorNow, isForAnotherDay } from "./scan-door.js";
import { owing } from "./scan-dues.js";
import { enqueue, remember, seenHere } from "./scan-here.js";
import { listOf } from "./scan-kept.js";
import { $, asked, element, locale, show, texts, wait } from "./scan-page.js";
import { ask, hasEnded } from "./scan-server.js";
import { ageOf, ended, isOld, network, timeOf } from "./scan-status.js";

const JUST_MS = 10000;

let last = Promise.resolve();

/** CODE was seen. One after the other: an answer that came late would be taken for the next one's. */
export function scanned(code) {
  const at = moment();
  last = last.then(() => check(code, at)).catch(() => show("warn", texts.failed));
  return last;
}

async function check(code, at) {
  wait();
  const performance = $("performance").value;
  const seen = read(code);
  if (!performance && seen && isForAnotherDay(seen.performance)) return elsewhere(seen.place, seen.performance, texts.chooseIt);
  try {
    const answer = await ask("POST", "scans?let_in=false", { scans: [{ code, at }], performance });
    told(answer.results[0], seen);
    network(true);
  } catch (error) {
    if (error.hasEnded || hasEnded()) ended();
    else await withoutNetwork(code, at, seen);
  }
}

const elsewhere = (place, performance, ...more) => show("bad", texts.other_performance, [place, dateOf(performance), ...more]);

function told(result, seen) {
  const { ticket, label } = result;
  if (result.result === "other_performance") return elsewhere(label, result.performance_id);
  if (result.result === "invalid" && isOfAnotherEvent(seen)) return show("bad", texts.unknown);
  const known = { krw: result.due_krw || result.paid_at_door_krw, isPaid: !result.due_krw };
  const holder = [result.grade, result.buyer_name].filter(Boolean).join(" · ");
  if (result.result === "admitted") {
    admit(ticket);
    const proof = result.concession ? [{ name: result.concession, proof: result.proof }] : [];
    show("good", texts.admitted, [label, holder, dateOf(result.performance_id)], [...proof, ...owing(result.code, ticket, known, Date.now())]);
  } else if (result.result === "used") {
    const when = result.used_at ? `${new Date(result.used_at).toLocaleTimeString(locale)} ${result.used_with}` : "";
    used(ticket, [label, holder, when], owing(result.code, ticket, known, Date.now()));
  } else {
    show("bad", texts[result.result] ?? texts.invalid, [label, holder]);
  }
}

const lastIn = { ticket: "", at: 0 };

/** TICKET is let in here and now. */
function admit(ticket) {
  remember(ticket);
  Object.assign(lastIn, { ticket, at: performance.now() });
}

/** TICKET was let in before; a moment ago by this very page, it may be one holder who is seen twice, or two with one picture. */
function used(ticket, lines, asks) {
  const ago = performance.now() - lastIn.at;
  if (ticket !== lastIn.ticket || ago > JUST_MS) return show("bad", texts.used, lines, asks);
  show("warn", texts.justIn.replace("{seconds}", Math.max(1, Math.round(ago / 1000))), lines, asks);
}

/** By what a code says of itself, signed or not: it is not let in anyhow. */
const isOfAnotherEvent = (seen) => Boolean(seen && doorNow()?.system && seen.system !== doorNow().system);

async function withoutNetwork(code, at, seen) {
  const door = doorNow();
  network(false);
  if (isOfAnotherEvent(seen)) return show("bad", texts.unknown);
  if (!seen) return show("bad", texts.invalid);
  const signed = door ? await isSigned(seen, door.keys) : null;
  if (signed === null) return show("warn", texts.undecided, [seen.place]);
  if (!signed) return show("bad", texts.invalid);
  const wanted = $("performance").value;
  if (wanted && seen.performance !== wanted) return elsewhere(seen.place, seen.performance);
  byList(code, at, seen);
}

/** SEEN, which is signed, by the list of its performance. */
function byList(code, at, seen) {
  const list = listOf(seen.performance);
  const isInHere = seenHere().includes(seen.ticket);
  if (!list) return isInHere ? used(seen.ticket, [seen.place]) : show("warn", texts.noList, [seen.place]);
  const old = isOld(list) ? [{ name: texts.oldList, proof: ageOf(list) }] : [];
  const lines = [seen.place, dateOf(seen.performance), old.length ? "" : ageOf(list)];
  if (list.cancelled.includes(seen.ticket)) return show("bad", texts.cancelled, lines, old);
  const due = (list.due ?? []).find((each) => each.tickets.includes(seen.ticket));
  const money = owing(code, seen.ticket, { krw: due?.krw, isPaid: false }, list.at);
  if (isInHere || list.used.includes(seen.ticket)) return used(seen.ticket, lines, [...old, ...money]);
  if (!isKnownTo(list, seen)) return show("warn", texts.newer, [seen.place, dateOf(seen.performance)], [undecided(code, seen, list), ...old]);
  admit(seen.ticket);
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
    if (seenHere().includes(seen.ticket)) return used(seen.ticket, [seen.place]); // in another tab, meanwhile
    admit(seen.ticket);
    enqueue({ code, at: moment(), decided: true });
    show("good", texts.decided, [seen.place, dateOf(seen.performance)]);
    network(false);
  });
  block.append(button);
  return { block, logged: "" };
}
