// Fills in what the booking system itself knows (sold places, income): asked for after the page is there, since it may be slow.

for (const box of document.querySelectorAll("[data-load]")) {
  fetch(box.dataset.load)
    .then((response) => (response.ok && !response.redirected ? response.text() : Promise.reject(response)))
    .then((html) => (box.innerHTML = html))
    .catch(() => (box.textContent = box.dataset.failed))
    .finally(() => box.removeAttribute("aria-busy"));
}
