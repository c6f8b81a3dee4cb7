// Fills in what the booking system itself knows (sold places, income): asked for after the page is there, since it may be slow.

function load(box) {
  fetch(box.dataset.load)
    .then((response) => (response.ok && !response.redirected ? response.text() : Promise.reject(response)))
    .then((html) => (box.innerHTML = html))
    .catch(() => (box.textContent = box.dataset.failed))
    .finally(() => box.removeAttribute("aria-busy"));
}

// Only what is in sight: a long list must not ask a hundred booking systems at once.
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    load(target);
  }
});
for (const box of document.querySelectorAll("[data-load]")) observer.observe(box);
