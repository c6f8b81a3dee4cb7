// Holding places: the way from the choice to the payment.
import { api } from "../lib/api.js";

/** What was chosen for PERFORMANCE, kept for the way through the login. */
export const memoryOf = (performance) => `clove.choice.${performance}`;

/** Hold WANTED ({seats}, {areas} or {best}) and go to pay. Never resolves when it succeeds: the next page comes. Throws Problem. */
export async function holdPlaces(performance, wanted) {
  const { body } = await api("POST", `/api/seat/performances/${encodeURIComponent(performance)}/holds`, { json: wanted });
  sessionStorage.removeItem(memoryOf(performance));
  location.assign(`/checkout/${encodeURIComponent(body.id)}`);
  await new Promise(() => {});
}
