// Keeps the page and its scripts, so that it opens while the network is away. What they ask the server is never kept.

const KEPT = "clove-door-2";
const PARTS = ["camera", "check", "code", "door", "dues", "here", "kept", "page", "server", "status", "sync"];
const FILES = ["scan", "scan.js", ...PARTS.map((name) => `scan-${name}.js`), "scan-qr/decode.js", "scan-qr/index.js"];
const BASE = new URL("./", self.location).pathname;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  const name = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : "";
  if (event.request.method !== "GET" || !FILES.includes(name)) return;
  event.respondWith(
    fetch(event.request)
      .then((answer) => {
        if (answer.ok) {
          const copy = answer.clone();
          caches.open(KEPT).then((kept) => kept.put(name, copy));
        }
        return answer;
      })
      .catch(() => caches.open(KEPT).then((kept) => kept.match(name))),
  );
});
