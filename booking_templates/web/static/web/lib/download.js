// Links to files of the buyer's own. A login may have to be renewed first, which a plain link cannot do.
import { api, goToLogin } from "./api.js";
import { busy, h, icon, toast } from "./dom.js";

/** A link to PATH, which is sent as a file; it is asked for when the login is fresh. */
export function download(path, text, { symbol, isSmall = false, testid }) {
  const link = h("a", { class: `button${isSmall ? " button--small" : ""}`, href: path, download: true, "data-testid": testid }, icon(symbol), text);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    busy(link, async () => {
      try {
        await api("GET", path.slice(0, path.lastIndexOf("/")));
        location.assign(path);
      } catch (problem) {
        if (!goToLogin(problem)) toast(problem.message, "bad");
      }
    });
  });
  return link;
}
