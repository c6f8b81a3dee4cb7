// The key of an invitation stands behind the `#`, which browsers send to nobody: it is taken from there and sent in the form.

const form = document.querySelector("[data-invitation]");

function take() {
  const key = location.hash.slice(1);
  if (key.length < 20) return; // a link within the page
  history.replaceState(null, "", location.pathname);
  form.elements.link.value = key;
  form.requestSubmit();
}

// A tab that shows one invitation may be given another: then the page itself stays.
addEventListener("hashchange", take);
take();
