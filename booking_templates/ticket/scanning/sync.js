// What waits is sent, and the lists are fetched anew: of the chosen performance, and of those that somebody may switch to.

import { mark, now, setBy, since } from "./scan-clock.js";
import { doorNow, keepDoor, performances } from "./scan-door.js";
import { sendPayments } from "./scan-dues.js";
import { dequeue, forgetSeen, queue, uncounted } from "./scan-here.js";
import { forget, hasRoom, keep, listOf } from "./scan-kept.js";
import { $, log, texts, won } from "./scan-page.js";
import { SYNC_WITHIN_MS, ask, hasEnded } from "./scan-server.js";
import { ended, network } from "./scan-status.js";

const BATCH = 100;
const FRESH_MS = 4 * 60000;
const OTHERS_AT_MOST = 10;
const OVER_MS = 12 * 3600000; // after it began, nobody switches to a performance

let syncing = null;
let isTold = false;

/** Send what waits and learn who is in. One at a time: two would send the same scans, and take others off the queue. */
export function sync() {
  syncing ??= sendAndLearn().finally(() => {
    syncing = null;
  });
  return syncing;
}

/** The same once the one under way is over: it asked for the performance of before. */
export const syncAgain = () => Promise.resolve(syncing).then(sync);

async function sendAndLearn() {
  const wasEnded = isTold && hasEnded(); // said once, and not again each time
  isTold = true;
  try {
    await sendScans();
    await sendPayments(SYNC_WITHIN_MS);
    const chosen = $("performance").value;
    await learn(chosen);
    uncounted.number = 0;
    performances();
    network(true);
    if (chosen) await learnOthers(chosen);
  } catch (error) {
    if (error.hasEnded && !wasEnded) ended();
    else if (!error.hasEnded) network(false);
  }
}

async function sendScans() {
  for (let batch; (batch = alike(queue()).slice(0, BATCH)).length; ) {
    const decided = Boolean(batch[0].decided);
    const scans = batch.map(({ code, at }) => ({ code, at }));
    const { results } = await ask("POST", `scans?let_in=true&decided=${decided}`, { scans }, SYNC_WITHIN_MS);
    for (const result of results) {
      if (decided && result.result === "admitted") unasked(result);
      if (result.result === "used") log(`! ${texts.doubled}: ${result.label} (${result.used_with})`);
      else if (result.result !== "admitted") log(`! ${texts.wrongly}: ${result.label} (${texts[result.result] ?? texts.invalid})`);
    }
    dequeue(batch);
  }
}

/** Those of WAITING that were decided as the first of them was: by the list, or by somebody who knew more than it. */
const alike = (waiting) => waiting.filter(({ decided }) => Boolean(decided) === Boolean(waiting[0].decided));

/** Say what nobody could ask for when RESULT's holder was let in. */
function unasked({ label, concession, proof, due_krw: due }) {
  const missed = [concession && [concession, proof].filter(Boolean).join(": "), due && `${texts.due} ${won(due)}`].filter(Boolean);
  if (missed.length) log(`! ${texts.notAsked}: ${label} (${missed.join(", ")})`);
}

/** Keep the list of PERFORMANCE, "" for all of them, and what is the same for each. */
async function learn(performance) {
  const made = mark();
  const { title, system, keys, performances: all, ...list } = await ask("GET", `door?performance=${encodeURIComponent(performance)}`, undefined, SYNC_WITHIN_MS);
  keepDoor({ title, system, keys, performances: all });
  keep(list.performance ?? performance, { ...list, ...made });
  setBy(list.as_of, made.at);
  forgetSeen(list.used);
}

/** Keep the lists of the next performances besides CHOSEN, while there is room: somebody may switch to one when the network is away. */
async function learnOthers(chosen) {
  const coming = doorNow().performances.filter((each) => Date.parse(each.starts_at) > now() - OVER_MS);
  coming.sort((one, other) => Date.parse(one.starts_at) - Date.parse(other.starts_at));
  const others = coming.map(({ id }) => id).filter((id) => id !== chosen).slice(0, OTHERS_AT_MOST);
  forget((id) => id && id !== chosen && !coming.some((each) => each.id === id));
  for (const id of others) {
    const list = listOf(id);
    if (list && since(list) >= 0 && since(list) < FRESH_MS) continue;
    if (!hasRoom()) forget((each) => !each || !(others.includes(each) || each === chosen));
    if (!hasRoom() || $("performance").value !== chosen) return; // the chosen one's list comes first
    await learn(id);
  }
}
