// Holding places: the way from the choice to the payment.
import { api } from "../lib/api.js";
import { tab } from "../lib/storage.js";
import { turnHeaders } from "./room.js";

/** What was chosen for PERFORMANCE, kept for the way through the login. */
export const memoryOf = (performance) => `clove.choice.${performance}`;

/** Hold WANTED ({seats}, {areas} or {best}) and go to pay. Never resolves when it succeeds: the next page comes. Throws Problem. */
export async function holdPlaces(performance, wanted) {
  const { id } = await hold(performance, wanted);
  tab.drop(memoryOf(performance));
  location.assign(`/checkout/${encodeURIComponent(id)}`);
  await new Promise(() => {});
}

const MAY_BE_OURS = ["seats_taken", "limit_exceeded"];
let isUnsure = false; // whether the answer to a hold was lost, and nobody said what had become of it

async function hold(performance, wanted) {
  const before = isUnsure && (await ownHold(performance, wanted));
  if (before) return before;
  try {
    return (await api("POST", `/api/seat/performances/${encodeURIComponent(performance)}/holds`, { json: wanted, headers: turnHeaders() })).body;
  } catch (problem) {
    // Held already, in another tab or by a request whose answer was lost: nobody else was quicker.
    const own = (problem.isPassing || (wanted.seats && MAY_BE_OURS.includes(problem.code))) && (await ownHold(performance, wanted));
    isUnsure ||= problem.isPassing && !own;
    if (!own) throw problem;
    return own;
  }
}

/** This buyer's newest open hold of just what is WANTED, if there is one. */
async function ownHold(performance, wanted) {
  try {
    const { holds } = (await api("GET", "/api/seat/holds", { timeoutMs: 5000 })).body;
    return holds.filter(({ performance_id, places }) => performance_id === performance && isJust(places, wanted)).at(-1);
  } catch {
    return null;
  }
}

/** Whether PLACES are what was WANTED ({seats}, {areas} or {best}), no more and no less. Pure. */
export function isJust(places, { seats, areas, best }) {
  if (seats) return places.length === seats.length && places.every((place) => seats.includes(place.seat));
  if (best) return places.length === best.quantity && places.every((place) => place.seat && (!best.grade || place.grade === best.grade));
  const count = (area) => places.filter((place) => place.area === area).length;
  return places.length === areas.reduce((sum, { quantity }) => sum + quantity, 0) && areas.every(({ area, quantity }) => count(area) === quantity);
}
