// Holding places: the way from the choice to the payment.
import { api } from "../lib/api.js";

/** What was chosen for PERFORMANCE, kept for the way through the login. */
export const memoryOf = (performance) => `clove.choice.${performance}`;

/** Hold WANTED ({seats}, {areas} or {best}) and go to pay. Never resolves when it succeeds: the next page comes. Throws Problem. */
export async function holdPlaces(performance, wanted) {
  const { id } = await hold(performance, wanted);
  sessionStorage.removeItem(memoryOf(performance));
  location.assign(`/checkout/${encodeURIComponent(id)}`);
  await new Promise(() => {});
}

const MAY_BE_OURS = ["seats_taken", "limit_exceeded"];

async function hold(performance, wanted) {
  try {
    return (await api("POST", `/api/seat/performances/${encodeURIComponent(performance)}/holds`, { json: wanted })).body;
  } catch (problem) {
    // Held already, in another tab or by a request whose answer was lost: nobody else was quicker.
    const own = wanted.seats && (problem.isPassing || MAY_BE_OURS.includes(problem.code)) && (await ownHold(performance, wanted.seats));
    if (!own) throw problem;
    return own;
  }
}

/** This buyer's open hold of just these SEATS, if there is one. */
async function ownHold(performance, seats) {
  try {
    const { holds } = (await api("GET", "/api/seat/holds", { timeoutMs: 5000 })).body;
    return holds.find(({ performance_id, places }) => performance_id === performance && places.length === seats.length && places.every((place) => seats.includes(place.seat)));
  } catch {
    return null;
  }
}
