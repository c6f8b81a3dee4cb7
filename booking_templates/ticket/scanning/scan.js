// The door's page: scans with the camera or a hand scanner, asks the server, and decides by signature while the network is away.

import { watch } from "./scan-camera.js";
import { scanned } from "./scan-check.js";
import { doorNow, performances } from "./scan-door.js";
import { uncounted } from "./scan-here.js";
import { store } from "./scan-kept.js";
import { $, show, texts } from "./scan-page.js";
import { key } from "./scan-server.js";
import { counts } from "./scan-status.js";
import { sync, syncAgain } from "./scan-sync.js";

const SYNC_EVERY_MS = 15000;

$("typed").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = $("code").value.trim();
  $("code").value = "";
  $("code").focus();
  if (code) scanned(code);
});
$("performance").addEventListener("change", () => {
  store.set("performance", $("performance").value);
  uncounted.number = 0;
  counts();
  syncAgain();
});
addEventListener("online", sync);

if (!key) {
  show("warn", texts.noKey);
} else {
  if (doorNow()) performances();
  counts();
  navigator.serviceWorker?.register("scan-worker.js").catch(() => {});
  sync();
  setInterval(sync, SYNC_EVERY_MS);
  watch(scanned);
}
