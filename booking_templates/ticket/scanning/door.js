// The door: which event and performances it is of, and with which keys their tickets are signed, as the server last said.

import { store } from "./scan-kept.js";
import { $, texts } from "./scan-page.js";

/** Null when it was never told. */
export const doorNow = () => store.get("door", null);

export const keepDoor = (door) => store.set("door", door);

/** Offer the door's performances for choice. */
export function performances() {
  const door = doorNow();
  $("title").textContent = door.title || document.title;
  const wanted = $("performance").value || store.get("performance", "");
  const options = [{ id: "", starts_at: null }, ...door.performances].map((each) => {
    const text = each.starts_at ? new Date(each.starts_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : texts.all;
    return new Option(text, each.id, false, each.id === wanted);
  });
  $("performance").replaceChildren(...options);
}
