// The door: scans with the camera, asks the server, and decides by signature while the network is away.

import { isSigned, read } from "./scan-code.js";

const $ = (id) => document.getElementById(id);
const texts = JSON.parse(document.querySelector("main").dataset.texts);
const TOO_SOON_MS = 2500;
const ASK_WITHIN_MS = 2500; // somebody stands at the door
const SYNC_WITHIN_MS = 30000; // nobody waits, and it may be half a megabyte over a hall full of telephones

const store = {
  get: (name, otherwise) => JSON.parse(localStorage.getItem(`clove-door-${name}`) ?? "null") ?? otherwise,
  set: (name, value) => localStorage.setItem(`clove-door-${name}`, JSON.stringify(value)),
};

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

/** PROOF is what somebody at the door has to ask for, {name, proof}: bigger than all but the verdict. */
function show(kind, head, lines = [], proof = null) {
  const verdict = $("verdict");
  verdict.className = `verdict ${kind}`;
  const strong = document.createElement("strong");
  strong.textContent = `${{ good: "✓", bad: "✕", warn: "!" }[kind] ?? ""} ${head}`;
  const asked = document.createElement("div");
  if (proof) {
    asked.className = "ask";
    asked.append(Object.assign(document.createElement("b"), { textContent: proof.name }), Object.assign(document.createElement("span"), { textContent: proof.proof }));
  }
  verdict.replaceChildren(strong, ...(proof ? [asked] : []), ...lines.filter(Boolean).map((text) => Object.assign(document.createElement("div"), { textContent: text })));
  navigator.vibrate?.(kind === "good" ? 80 : [80, 60, 80, 60, 80]);
  log([strong.textContent, lines[0], proof?.name].filter(Boolean).join(" "));
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
  const parts = [];
  if (door) parts.push(`${door.arrived} / ${door.expected} ${texts.arrived}`);
  const { length } = queue();
  if (length) parts.push(`${length} ${texts.waiting}`);
  $("counts").textContent = parts.join(" · ");
}

/** TICKET was let in here; the server's list may be some seconds older when the network goes away. */
function remember(ticket) {
  const seen = seenHere();
  if (!ticket || seen.includes(ticket)) return;
  store.set("seen", [...seen, ticket]);
  if (door) door.arrived += 1;
}

function told(result) {
  const kind = result.result === "admitted" ? "good" : "bad";
  const when = result.result === "used" && result.used_at ? `${new Date(result.used_at).toLocaleTimeString()} ${result.used_with}` : "";
  show(kind, texts[result.result] ?? texts.invalid, [result.label, [result.grade, result.buyer_name].filter(Boolean).join(" · "), when], result.result === "admitted" && result.concession ? { name: result.concession, proof: result.proof } : null);
}

async function withoutNetwork(code, at) {
  const seen = read(code);
  if (!seen || (door?.system && seen.system !== door.system)) return show("bad", texts.invalid);
  const signed = door ? await isSigned(seen, door.keys) : null;
  if (signed === null) return show("warn", texts.undecided, [seen.place]);
  if (!signed) return show("bad", texts.invalid);
  const wanted = $("performance").value;
  if (wanted && seen.performance !== wanted) return show("bad", texts.other_performance, [seen.place]);
  if (door.cancelled.includes(seen.ticket)) return show("bad", texts.cancelled, [seen.place]);
  if (door.used.includes(seen.ticket) || seenHere().includes(seen.ticket)) return show("bad", texts.used, [seen.place]);
  remember(seen.ticket);
  store.set("queue", [...queue(), { code, at }]);
  // Known of all tickets that were sold when the network was last there.
  show("good", texts.admittedOffline, [seen.place], (door.concessions ?? []).find((each) => each.tickets.includes(seen.ticket)));
  network(false);
}

async function scanned(code) {
  const at = new Date().toISOString();
  try {
    const answer = await ask("POST", "scans", { scans: [{ code, at }], performance: $("performance").value });
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
      const { results } = await ask("POST", "scans", { scans: batch }, SYNC_WITHIN_MS);
      for (const result of results) {
        if (result.result === "used") log(`! ${texts.doubled}: ${result.label} (${result.used_with})`);
        else if (result.result !== "admitted") log(`! ${texts.wrongly}: ${result.label} (${texts[result.result] ?? texts.invalid})`);
      }
      const sent = new Set(batch.map(({ code, at }) => `${at} ${code}`));
      store.set("queue", queue().filter(({ code, at }) => !sent.has(`${at} ${code}`)));
    }
    const wanted = $("performance").value;
    door = await ask("GET", `door?performance=${encodeURIComponent(wanted)}`, undefined, SYNC_WITHIN_MS);
    store.set("door", door);
    performances();
    network(true);
  } catch (error) {
    if (error.hasEnded) show("warn", texts.keyEnded);
    else network(false);
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
  Promise.resolve(syncing).then(sync); // one under way asked for the performance of before
});
addEventListener("online", sync);

if (!key) {
  show("warn", texts.noKey);
} else {
  if (door) performances();
  navigator.serviceWorker?.register("scan-worker.js").catch(() => {});
  sync();
  setInterval(sync, 15000);
  camera();
}
