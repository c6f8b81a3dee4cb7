// The camera, and what reads QR codes in its pictures.

import { $, texts } from "./scan-page.js";

const TOO_SOON_MS = 2500;
const LOOK_EVERY_MS = 120;

/** Tell SCANNED each code that comes before the camera. */
export async function watch(scanned) {
  try {
    const detector = await reader();
    const video = $("camera");
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.hidden = false;
    await video.play();
    const look = async () => {
      const found = await detector.detect(video).catch(() => []);
      if (found.length && isNew(found[0].rawValue)) await scanned(found[0].rawValue);
      setTimeout(look, LOOK_EVERY_MS);
    };
    look();
  } catch {
    $("hint").textContent = texts.noCamera;
  }
}

/** The browser's own reader of QR codes, else ours. */
async function reader() {
  const own = globalThis.BarcodeDetector;
  const canRead = own && (await own.getSupportedFormats().catch(() => [])).includes("qr_code");
  const { BarcodeDetector } = canRead ? globalThis : await import("./scan-qr/decode.js");
  return new BarcodeDetector({ formats: ["qr_code"] });
}

const last = { code: "", at: 0 };

/** Whether the camera has CODE before it again. One that stays in its sight is looked at once: it would turn from "Admit" into "Already used". */
function isNew(code) {
  const now = Date.now();
  const isSame = code === last.code && now - last.at < TOO_SOON_MS;
  Object.assign(last, { code, at: now });
  return !isSame;
}
