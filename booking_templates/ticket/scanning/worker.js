// Keeps the page and its scripts, so that it opens while the network is away. What they ask the server is never kept.

const PREFIX = "clove-door-";
const KEPT = `${PREFIX}{version}`; // all of one version: half a page of another one would not run
const PARTS = ["camera", "check", "clock", "code", "door", "dues", "here", "kept", "page", "server", "status", "sync"];
const FILES = ["scan", "scan.js", ...PARTS.map((name) => `scan-${name}.js`), "scan-qr/decode.js", "scan-qr/index.js"];
const BASE = new URL("./", self.location).pathname;
const WITHIN_MS = 3000; // a full hall's network takes a request, and never answers it
const LATE_FOR_MS = 30000;

let lateAt = Number.NEGATIVE_INFINITY;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOlder().then(() => self.clients.claim()));
});

async function forgetOlder() {
  const older = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== KEPT);
  await Promise.all(older.map((name) => caches.delete(name)));
}

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  const name = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : "";
  if (event.request.method === "GET" && FILES.includes(name)) event.respondWith(answer(event.request, name));
});

/** From the network, as it knows the newest; what is kept where that is away, late or broken. */
async function answer(request, name) {
  const keptOne = async () => (await caches.open(KEPT)).match(name);
  if (performance.now() - lateAt < LATE_FOR_MS) return (await keptOne()) ?? fetch(request);
  const asked = fetch(request);
  try {
    const found = await Promise.race([asked, late()]);
    return found.ok ? found : ((await keptOne()) ?? found);
  } catch (error) {
    if (error.isLate) lateAt = performance.now();
    asked.catch(() => {});
    return (await keptOne()) ?? asked;
  }
}

const late = () =>
  new Promise((_, reject) => {
    setTimeout(() => reject(Object.assign(new Error("late"), { isLate: true })), WITHIN_MS);
  });
