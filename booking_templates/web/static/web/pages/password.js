// A forgotten password: asking for the link, and choosing a new password with it.
import { api } from "../lib/api.js";
import { t } from "../lib/client.js";
import { $, busy, h, note, show } from "../lib/dom.js";
import { check, showProblem } from "../lib/forms.js";
import "../lib/page.js";
import { tab } from "../lib/storage.js";

function handle(form, work) {
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!check(form, $("problem"))) return;
    busy(form.querySelector("[type=submit]"), () => work(form).catch((problem) => showProblem(form, $("problem"), problem)));
  });
}

handle($("forgot"), async (form) => {
  await api("POST", "/api/auth/password-reset", { json: { email: form.elements.email.value.trim() } });
  show(form, false);
  note($("problem"), "good", t("reset_sent"));
});

// The link's secret is after the #, so no server and no log sees it; it leaves the address bar at once.
// Kept in this tab, for the page may be loaded again, in another language for instance.
const KEPT = "clove.reset";
const token = $("reset") ? location.hash.slice(1) || tab.read(KEPT) : null;
if (token) {
  tab.write(KEPT, token);
  history.replaceState(null, "", location.pathname);
}
// In a tab where this page is open already a link leads to no new page.
if ($("reset")) addEventListener("hashchange", () => location.hash && location.reload());
if ($("reset") && !token) {
  show($("reset"), false);
  note($("problem"), "warn", t("reset_invalid"));
}

handle($("reset"), async (form) => {
  await api("POST", "/api/auth/password-reset/confirm", { json: { token, new_password: form.elements.new_password.value } }).catch((problem) => {
    if (problem.code === "reset_link_invalid") tab.drop(KEPT);
    throw problem;
  });
  tab.drop(KEPT);
  show(form, false);
  note($("problem"), "good", t("password_set"), h("a", { class: "button button--small button--primary", href: "/login" }, t("log_in")));
});
