// The camera, and what reads QR codes in its pictures.

import { $, texts } from "./scan-page.js";

const GONE_MS = 1000; // a code that blurs for a moment did not leave
const MISSES = 3;
const LOOK_EVERY_MS = 120;

let detector = null;
let isLooking = false;

/** Tell SCANNED each code that comes before the camera; a button starts it again when it stops or was refused. */
export async function watch(scanned) {
  $("start").addEventListener("click", async () => {
    await start(scanned);
    if ($("start").hidden) $("code").focus(); // nobody is left on a button that is gone
  });
  await start(scanned);
}

async function start(scanned) {
  const video = $("camera");
  try {
    detector ??= await reader();
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject.getVideoTracks()[0].addEventListener("ended", () => start(scanned)); // another app took it, or it was pulled out
    video.hidden = false;
    await video.play();
    if (!isLooking) look(scanned);
    say("");
  } catch {
    video.hidden = true;
    say(texts.noCamera);
  }
}

function say(text) {
  $("hint").textContent = text;
  $("start").hidden = !text;
}

async function look(scanned) {
  isLooking = true;
  const found = await detector.detect($("camera")).catch(() => []);
  if (!found.length) last.misses += 1;
  else if (isNew(found[0].rawValue)) await scanned(found[0].rawValue);
  setTimeout(look, LOOK_EVERY_MS, scanned);
}

/** The browser's own reader of QR codes, else ours. */
async function reader() {
  const own = globalThis.BarcodeDetector;
  const canRead = own && (await own.getSupportedFormats().catch(() => [])).includes("qr_code");
  const { BarcodeDetector } = canRead ? globalThis : await import("./scan-qr/decode.js");
  return new BarcodeDetector({ formats: ["qr_code"] });
}

const last = { code: "", seenAt: 0, misses: 0 };

/** Whether the camera has CODE before it again. One that stays in its sight is looked at once: it would turn from "Admit" into "Already used". */
function isNew(code) {
  const now = performance.now();
  // On a slow phone a single look may take as long: time alone does not tell.
  const isGone = last.misses >= MISSES && now - last.seenAt > GONE_MS;
  const isSame = code === last.code && !isGone;
  Object.assign(last, { code, seenAt: now, misses: 0 });
  return !isSame;
}
