// Follows the refunds of a performance that was called off, until everybody has their money back. A reload shows the same.

const box = document.querySelector("[data-refunds]");
const EVERY_MS = 2000;

async function look() {
  try {
    const response = await fetch(box.dataset.refunds, { cache: "no-store" });
    if (response.redirected || response.status === 403 || response.status === 404) {
      location.reload(); // it is nobody's business here any more
      return;
    }
    if (response.ok) {
      const html = await response.text();
      if (box.innerHTML !== html) box.innerHTML = html;
      if (response.headers.get("X-Over") === "yes") return;
    }
  } catch {
    // no network: ask again
  }
  setTimeout(look, EVERY_MS);
}

if (box.dataset.over !== "yes") setTimeout(look, EVERY_MS);
