// Whether somebody is logged in, as far as this browser remembers: the tokens are in cookies that no script can read.
import { browser } from "./storage.js";

const BUYER = "clove.buyer";

export const session = {
  /** The buyer's name, or null. */
  get name() {
    return browser.read(BUYER);
  },
  remember(name) {
    browser.write(BUYER, name);
    document.dispatchEvent(new CustomEvent("clove:session"));
  },
  forget() {
    browser.drop(BUYER);
    document.dispatchEvent(new CustomEvent("clove:session"));
  },
};
