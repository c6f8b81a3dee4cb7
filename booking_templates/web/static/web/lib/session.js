// Whether somebody is logged in, as far as this browser remembers: the tokens are in cookies that no script can read.
const BUYER = "clove.buyer";

export const session = {
  read(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage switched off: pages work, only less is remembered
    }
  },
  write(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // as above
    }
  },
  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // as above
    }
  },
  /** The buyer's name, or null. */
  get name() {
    return this.read(BUYER);
  },
  remember(name) {
    this.write(BUYER, name);
    document.dispatchEvent(new CustomEvent("clove:session"));
  },
  forget() {
    this.drop(BUYER);
    document.dispatchEvent(new CustomEvent("clove:session"));
  },
};
