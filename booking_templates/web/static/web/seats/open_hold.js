// A hold that the buyer has already: go on with it, or give it back.
import { api } from "../lib/api.js";
import { t } from "../lib/client.js";
import { placeName } from "../lib/places.js";
import { busy, h, note, toast } from "../lib/dom.js";
import { session } from "../lib/session.js";

/** Say in PLACE that there is a hold of PERFORMANCE, when somebody is logged in and there is. */
export async function openHoldNote(performance, place) {
  if (session.name === null) return;
  let holds;
  try {
    holds = (await api("GET", "/api/seat/holds")).body.holds;
  } catch {
    return; // nothing depends on this note
  }
  const open = holds.find((hold) => hold.performance_id === performance);
  if (!open) return;
  const labels = open.places.map((each) => placeName(each.label)).join(", ");
  const giveBack = h("button", { type: "button", class: "button button--small" }, t("give_back"));
  giveBack.addEventListener("click", () =>
    busy(giveBack, async () => {
      try {
        await api("DELETE", `/api/seat/holds/${encodeURIComponent(open.id)}`);
        place.replaceChildren();
        toast(t("given_back"), "good");
      } catch (problem) {
        toast(problem.message, "bad");
      }
    }),
  );
  note(place, "info", t("open_hold", { places: labels }), h("a", { class: "button button--small button--primary", href: `/checkout/${encodeURIComponent(open.id)}` }, t("go_on_paying")), giveBack);
}
