// Follows what a booking system is doing. The page is whole without it; a reload shows the newest state.

const box = document.querySelector("[data-progress]");
const announcer = document.querySelector("[data-announce]");
const BUSY_MS = 700;
const CALM_MS = 5000;
const LOST_MS = 3000;

let etag = "";
let timer = 0;

async function look() {
  clearTimeout(timer);
  let wait = LOST_MS;
  try {
    const response = await fetch(box.dataset.progress, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
    if (response.redirected || response.status === 404) {
      location.reload();
      return;
    }
    if (response.status === 200) {
      etag = response.headers.get("ETag") ?? "";
      show(await response.json());
    }
    if (response.status < 400) wait = box.dataset.busy === "yes" ? BUSY_MS : CALM_MS;
  } catch {
    // offline, or the platform restarts: ask again
  }
  timer = setTimeout(look, wait);
}

function show(answer) {
  box.dataset.busy = answer.busy ? "yes" : "no";
  for (const [name, html] of Object.entries(answer.parts)) {
    const part = document.querySelector(`[data-part="${name}"]`);
    if (part && part.innerHTML !== html) part.innerHTML = html;
  }
  if (announcer.textContent !== answer.announcement) announcer.textContent = answer.announcement;
}

// Time of what is running, ten times a second; the server's clock may differ, so count from its own figure.
setInterval(() => {
  for (const clock of document.querySelectorAll("[data-elapsed]")) {
    clock.startedAt ??= performance.now() - Number(clock.dataset.elapsed) * 1000;
    clock.textContent = clock.dataset.pattern.replace("0.0", ((performance.now() - clock.startedAt) / 1000).toFixed(1));
  }
}, 100);

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") look();
  else clearTimeout(timer);
});

look();
