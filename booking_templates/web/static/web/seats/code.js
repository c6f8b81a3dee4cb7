// Before the sale opens to all: the field for a presale code. What was typed is kept for the way through the login.
import { api, goToLogin } from "../lib/api.js";
import { t } from "../lib/client.js";
import { $, announce, busy, note, show } from "../lib/dom.js";
import { moment } from "../lib/format.js";
import { check, clearErrors, fieldError } from "../lib/forms.js";
import { openings } from "../lib/presale.js";
import { session } from "../lib/session.js";
import { tab } from "../lib/storage.js";

const PATH = "/api/seat/presale";
const TYPED = "clove.code";

export class CodeField {
  /** ACCEPTED is called when this account may buy early. */
  constructor(accepted) {
    this.accepted = accepted;
    this.form = $("code-form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      busy($("code-button"), () => this.send());
    });
  }

  /** Whether the account that is logged in has a code: the page may have been told otherwise because its login had to be renewed. */
  async hasCode() {
    if (!session.name) return false;
    try {
      return (await api("GET", PATH, { timeoutMs: 8000 })).body.has_code;
    } catch {
      return false;
    }
  }

  /** Show what there is to say of PRESALE (`presaleOf`; null: nothing is known of it any more) to who was told so by the room. */
  draw(presale, { needsCode: isAsked, opensInS }) {
    show($("code"), isAsked || Boolean(presale && opensInS !== null));
    show(this.form, isAsked);
    if (!presale) return;
    $("code-title").textContent = presale.name;
    if (isAsked) $("code-help").textContent = presale.isOpen ? t("code_help_open", { when: moment(presale.salesAt) }) : t("code_help_before", { openings: openings(presale).join(" · ") });
    else $("code-help").textContent = t("code_kept", { when: moment(presale.opensAt) });
    if (isAsked) this.sendWhatWasTyped();
  }

  /** Back from the login. */
  sendWhatWasTyped() {
    const typed = tab.read(TYPED);
    if (!typed) return;
    tab.drop(TYPED);
    $("presale-code").value = typed;
    if (session.name) this.form.requestSubmit();
  }

  async send() {
    const summary = $("code-problem");
    if (!check(this.form, summary)) return;
    const code = $("presale-code").value;
    try {
      const { body } = await api("POST", PATH, { json: { code } });
      clearErrors(this.form, summary);
      const text = body.is_open ? t("code_accepted") : t("code_accepted_early", { when: moment(body.opens_at) });
      await this.accepted(text);
      announce(text, { now: true });
    } catch (problem) {
      if (problem.status === 401) tab.write(TYPED, code);
      if (goToLogin(problem)) return;
      if (problem.code === "presale_over" || problem.code === "presale_none") return this.accepted(problem.message);
      this.refuse(problem, summary);
    }
  }

  refuse(problem, summary) {
    if (problem.isPassing) note(summary, "bad", problem.message);
    else fieldError(this.form, "code", problem.message);
    announce(problem.message, { now: true });
    $("presale-code").focus();
  }
}
