// The door: scans with the camera, asks the server, and decides by signature while the network is away.

import { isSigned, read } from "./scan-code.js";
import { forget, hasRoom, keep, listOf, store } from "./scan-kept.js";

const $ = (id) => document.getElementById(id);
const texts = JSON.parse(document.querySelector("main").dataset.texts);
const TOO_SOON_MS = 2500;
const ASK_WITHIN_MS = 2500; // somebody stands at the door
const SYNC_WITHIN_MS = 30000; // nobody waits, and it may be half a megabyte over a hall full of telephones
const OLD_MS = 10 * 60000; // from then on the age of a list is said loudly
const FRESH_MS = 4 * 60000;
const OTHERS_AT_MOST = 10;
const OVER_MS = 12 * 3600000; // after it began, nobody switches to a performance

// The key comes behind the #, which no server sees, and does not stay in the address.
const given = new URLSearchParams(location.hash.slice(1)).get("key");
if (given) {
  store.set("key", given);
  history.replaceState(null, "", location.pathname);
}
const key = store.get("key", "");
let door = store.get("door", null);
// Read anew each time: the link may be open in two tabs, and each lets people in.
const queue = () => store.get("queue", []);
const seenHere = () => store.get("seen", []);
const payments = () => store.get("payments", []);
const owed = () => store.get("owed", {}); // by ticket, what was taken here or taken back
let letInSince = 0; // the list of the chosen performance does not count them yet
let lastCode = "";
let lastAt = 0;

async function ask(method, path, body, withinMs = ASK_WITHIN_MS) {
  const answer = await fetch(path, {
    method,
    headers: { "X-Scanner-Key": key, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(withinMs),
  });
  if (answer.status === 401) throw Object.assign(new Error("key"), { hasEnded: true });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** ASKS are what somebody at the door has to look at, each {name, proof}: bigger than all but the verdict. So is MONEY, as `owing` has it. */
function show(kind, head, lines = [], asks = [], money = null) {
  const verdict = $("verdict");
  verdict.className = `verdict ${kind}`;
  const strong = document.createElement("strong");
  strong.textContent = `${{ good: "✓", bad: "✕", warn: "!" }[kind] ?? ""} ${head}`;
  verdict.replaceChildren(strong, ...asks.map(asked), ...(money ? [moneyBlock(money)] : []), ...lines.filter(Boolean).map((text) => element("div", text)));
  navigator.vibrate?.(kind === "good" ? 80 : [80, 60, 80, 60, 80]);
  const due = money && !money.isPaid ? `${texts.due} ${won(money.krw)}` : "";
  log([strong.textContent, lines[0], ...asks.map(({ name }) => name), due].filter(Boolean).join(" "));
}

const element = (tag, textContent) => Object.assign(document.createElement(tag), { textContent });

function asked({ name, proof }) {
  const block = Object.assign(document.createElement("div"), { className: "ask" });
  block.append(element("b", name), element("span", proof));
  return block;
}

const won = (krw) => texts.won.replace("{amount}", krw.toLocaleString());

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

/** Of a ticket: {code, ticket, krw, isPaid}, or null when nothing is, or was, to be paid here. KNOWN is what the server last said, at KNOWNAT. */
function owing(code, ticket, known, knownAt) {
  const own = owed()[ticket];
  const isNewer = own && (own.at > knownAt || payments().some((each) => each.code === code));
  const { krw, isPaid } = isNewer ? own : known;
  return krw ? { code, ticket, krw, isPaid } : null;
}

/** Kept before it is sent: the money is in the till, whatever becomes of the network. */
async function pay({ code, ticket, krw, isPaid }) {
  const at = new Date().toISOString();
  store.set("payments", [...payments(), { code, at, is_paid: isPaid }]);
  store.set("owed", { ...owed(), [ticket]: { krw, isPaid, at: Date.now() } });
  log(`${isPaid ? texts.paid : texts.notPaid}: ${won(krw)}`);
  counts();
  try {
    await sendPayments(ASK_WITHIN_MS);
    counts();
  } catch (error) {
    if (error.hasEnded) show("warn", texts.keyEnded);
    else network(false);
  }
}

/** Sent twice is fine: the server knows each by its time. */
async function sendPayments(withinMs) {
  for (let batch; (batch = payments().slice(0, 100)).length; ) {
    const { results } = await ask("POST", "door/payments", { payments: batch }, withinMs);
    results.forEach(({ result, ticket, label, paid_with }, index) => {
      if (result === "paid_before") log(`! ${texts.paidTwice}: ${label} (${paid_with})`);
      else if (result !== "paid" && batch[index].is_paid) log(`! ${texts.notKept}: ${label}`);
      if (owed()[ticket]) store.set("owed", { ...owed(), [ticket]: { ...owed()[ticket], at: Date.now() } });
    });
    const sent = new Set(batch.map(({ code, at }) => `${at} ${code}`));
    store.set("payments", payments().filter(({ code, at }) => !sent.has(`${at} ${code}`)));
  }
}

function log(text) {
  const line = document.createElement("li");
  line.textContent = `${new Date().toLocaleTimeString()}  ${text}`;
  $("log").prepend(line);
  while ($("log").children.length > 30) $("log").lastChild.remove();
}

function network(isThere) {
  $("network").textContent = isThere ? texts.online : texts.offline;
  counts();
}

function counts() {
  const list = listOf($("performance").value);
  const parts = [];
  if (list) parts.push(`${list.arrived + letInSince} / ${list.expected} ${texts.arrived}`);
  const { length } = queue();
  if (length) parts.push(`${length} ${texts.waiting}`);
  if (payments().length) parts.push(`${payments().length} ${texts.paymentsWaiting}`);
  $("counts").textContent = parts.join(" · ");
  age(list);
}

const isOld = (list) => Date.now() - list.at > OLD_MS;

/** How old LIST is, by this device's clock from when it asked: that may be wrong, but runs as fast as any. */
function ageOf(list) {
  const minutes = Math.max(0, Math.round((Date.now() - list.at) / 60000));
  const units = [["day", 2880, 1440], ["hour", 120, 60], ["minute", 0, 1]];
  const [unit, , size] = units.find(([, from]) => minutes >= from);
  const ago = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" }).format(-Math.floor(minutes / size), unit);
  const time = new Date(list.as_of).toLocaleString([], unit === "minute" ? { timeStyle: "short" } : { dateStyle: "short", timeStyle: "short" });
  return texts.listOf.replace("{time}", time).replace("{ago}", ago);
}

function age(list) {
  const isLoud = !list || isOld(list);
  $("list").className = isLoud ? "stale" : "soft";
  $("list").textContent = !list ? texts.noListYet : [isLoud && `${texts.oldList}:`, ageOf(list)].filter(Boolean).join(" ");
}

/** TICKET was let in here; the server's list may be some seconds older when the network goes away. */
function remember(ticket) {
  const seen = seenHere();
  if (!ticket || seen.includes(ticket)) return;
  store.set("seen", [...seen, ticket]);
  letInSince += 1;
}

function told(result) {
  const isHere = ["admitted", "used"].includes(result.result);
  const known = { krw: result.due_krw || result.paid_at_door_krw, isPaid: !result.due_krw };
  const kind = result.result === "admitted" ? "good" : "bad";
  const when = result.result === "used" && result.used_at ? `${new Date(result.used_at).toLocaleTimeString()} ${result.used_with}` : "";
  show(kind, texts[result.result] ?? texts.invalid, [result.label, [result.grade, result.buyer_name].filter(Boolean).join(" · "), when], result.result === "admitted" && result.concession ? [{ name: result.concession, proof: result.proof }] : [], isHere ? owing(result.code, result.ticket, known, Date.now()) : null);
}

async function withoutNetwork(code, at) {
  const seen = read(code);
  if (!seen || (door?.system && seen.system !== door.system)) return show("bad", texts.invalid);
  const signed = door ? await isSigned(seen, door.keys) : null;
  if (signed === null) return show("warn", texts.undecided, [seen.place]);
  if (!signed) return show("bad", texts.invalid);
  const wanted = $("performance").value;
  if (wanted && seen.performance !== wanted) return show("bad", texts.other_performance, [seen.place]);
  const list = listOf(seen.performance);
  const isInHere = seenHere().includes(seen.ticket);
  if (!list) return isInHere ? show("bad", texts.used, [seen.place]) : show("warn", texts.noList, [seen.place]);
  const old = isOld(list) ? [{ name: texts.oldList, proof: ageOf(list) }] : [];
  const lines = [seen.place, old.length ? "" : ageOf(list)];
  if (list.cancelled.includes(seen.ticket)) return show("bad", texts.cancelled, lines, old);
  const due = (list.due ?? []).find((each) => each.tickets.includes(seen.ticket));
  const money = owing(code, seen.ticket, { krw: due?.krw, isPaid: false }, list.at);
  if (isInHere || list.used.includes(seen.ticket)) return show("bad", texts.used, lines, old, money);
  remember(seen.ticket);
  store.set("queue", [...queue(), { code, at }]);
  // Known of all tickets that were sold when the network was last there.
  const proof = (list.concessions ?? []).find((each) => each.tickets.includes(seen.ticket));
  show("good", texts.admittedOffline, lines, [...(proof ? [proof] : []), ...old], money);
  network(false);
}

async function scanned(code) {
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

let syncing = null;

/** Send what waits and learn who is in. One at a time: two would send the same scans, and take others off the queue. */
function sync() {
  syncing ??= sendAndLearn().finally(() => {
    syncing = null;
  });
  return syncing;
}

async function sendAndLearn() {
  try {
    for (let batch; (batch = queue().slice(0, 100)).length; ) {
      const { results } = await ask("POST", "scans?let_in=true", { scans: batch }, SYNC_WITHIN_MS);
      for (const result of results) {
        if (result.result === "used") log(`! ${texts.doubled}: ${result.label} (${result.used_with})`);
        else if (result.result !== "admitted") log(`! ${texts.wrongly}: ${result.label} (${texts[result.result] ?? texts.invalid})`);
      }
      const sent = new Set(batch.map(({ code, at }) => `${at} ${code}`));
      store.set("queue", queue().filter(({ code, at }) => !sent.has(`${at} ${code}`)));
    }
    await sendPayments(SYNC_WITHIN_MS);
    const chosen = $("performance").value;
    await learn(chosen);
    letInSince = 0;
    performances();
    network(true);
    if (chosen) await learnOthers(chosen);
  } catch (error) {
    if (error.hasEnded) show("warn", texts.keyEnded);
    else network(false);
  }
}

/** Keep the list of PERFORMANCE, "" for all of them, and what is the same for each. */
async function learn(performance) {
  const at = Date.now();
  const { title, system, keys, performances: all, ...list } = await ask("GET", `door?performance=${encodeURIComponent(performance)}`, undefined, SYNC_WITHIN_MS);
  door = { title, system, keys, performances: all };
  store.set("door", door);
  keep(list.performance ?? performance, list, at);
}

/** Keep the lists of the next performances besides CHOSEN, while there is room: somebody may switch to one when the network is away. */
async function learnOthers(chosen) {
  const coming = door.performances.filter((each) => Date.parse(each.starts_at) > Date.now() - OVER_MS);
  coming.sort((one, other) => Date.parse(one.starts_at) - Date.parse(other.starts_at));
  const others = coming.map(({ id }) => id).filter((id) => id !== chosen).slice(0, OTHERS_AT_MOST);
  forget((id) => id && id !== chosen && !coming.some((each) => each.id === id));
  for (const id of others) {
    const list = listOf(id);
    if (list && Date.now() - list.at < FRESH_MS) continue;
    if (!hasRoom()) forget((each) => !each || !(others.includes(each) || each === chosen));
    if (!hasRoom() || $("performance").value !== chosen) return; // the chosen one's list comes first
    await learn(id);
  }
}

function performances() {
  $("title").textContent = door.title || document.title;
  const wanted = $("performance").value || store.get("performance", "");
  const options = [{ id: "", starts_at: null }, ...door.performances].map((each) => {
    const text = each.starts_at ? new Date(each.starts_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : texts.all;
    return new Option(text, each.id, false, each.id === wanted);
  });
  $("performance").replaceChildren(...options);
}

/** The browser's own reader of QR codes, else ours. */
async function reader() {
  const own = globalThis.BarcodeDetector;
  const canRead = own && (await own.getSupportedFormats().catch(() => [])).includes("qr_code");
  const { BarcodeDetector } = canRead ? globalThis : await import("./scan-qr/decode.js");
  return new BarcodeDetector({ formats: ["qr_code"] });
}

/** Whether the camera has CODE before it again. One that stays in its sight is looked at once: it would turn from "Admit" into "Already used". */
function isNew(code) {
  const now = Date.now();
  const isSame = code === lastCode && now - lastAt < TOO_SOON_MS;
  [lastCode, lastAt] = [code, now];
  return !isSame;
}

async function camera() {
  try {
    const detector = await reader();
    const video = $("camera");
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.hidden = false;
    await video.play();
    const look = async () => {
      const found = await detector.detect(video).catch(() => []);
      if (found.length && isNew(found[0].rawValue)) await scanned(found[0].rawValue);
      setTimeout(look, 120);
    };
    look();
  } catch {
    $("hint").textContent = texts.noCamera;
  }
}

$("typed").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = $("code").value.trim();
  $("code").value = "";
  $("code").focus();
  if (code) scanned(code);
});
$("performance").addEventListener("change", () => {
  store.set("performance", $("performance").value);
  letInSince = 0;
  counts();
  Promise.resolve(syncing).then(sync); // one under way asked for the performance of before
});
addEventListener("online", sync);

if (!key) {
  show("warn", texts.noKey);
} else {
  if (door) performances();
  counts();
  navigator.serviceWorker?.register("scan-worker.js").catch(() => {});
  sync();
  setInterval(sync, 15000);
  camera();
}
