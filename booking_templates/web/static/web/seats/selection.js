// What the buyer has chosen, in the order it was chosen. Pure: knows nothing of pages or servers.

export class Selection {
  constructor(limit = Infinity) {
    this.limit = limit;
    this.seats = [];
  }

  has(index) {
    return this.seats.includes(index);
  }

  get isFull() {
    return this.seats.length >= this.limit;
  }

  /** Choose INDEX or give it back. Returns "added", "removed" or "full". */
  toggle(index) {
    if (this.has(index)) {
      this.remove(index);
      return "removed";
    }
    if (this.isFull) return "full";
    this.seats.push(index);
    return "added";
  }

  remove(index) {
    this.seats = this.seats.filter((each) => each !== index);
  }

  /** Take out what is no longer FREE (a predicate by index); returns what was taken out. */
  keep(free) {
    const lost = this.seats.filter((index) => !free(index));
    this.seats = this.seats.filter(free);
    return lost;
  }
}

/** Quantities by area id; an area with none is not in it. */
export class Quantities {
  constructor(limit = Infinity) {
    this.limit = limit;
    this.byArea = new Map();
  }

  get count() {
    return [...this.byArea.values()].reduce((sum, each) => sum + each, 0);
  }

  of(area) {
    return this.byArea.get(area) || 0;
  }

  /** How many AREA could have, with FREE places in it and the limit over all areas. */
  most(area, free) {
    return Math.max(0, Math.min(free, this.limit - (this.count - this.of(area))));
  }

  set(area, quantity, free) {
    const allowed = Math.min(Math.max(0, quantity), this.most(area, free));
    if (allowed) this.byArea.set(area, allowed);
    else this.byArea.delete(area);
    return allowed;
  }
}
