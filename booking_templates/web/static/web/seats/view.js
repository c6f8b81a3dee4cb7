// Where the drawing stands in its window: a scale and an offset, and what zooming and panning do to them. Pure arithmetic.

export class View {
  constructor(bounds) {
    this.bounds = bounds;
    this.width = 1;
    this.height = 1;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.most = 4;
    /** What the controls take of the window at these sides: the whole plan is seen beside them. */
    this.edge = { right: 0, top: 0 };
  }

  /** The scale at which all of the plan is seen. */
  get least() {
    return Math.min((this.width - this.edge.right) / this.bounds.width, (this.height - this.edge.top) / this.bounds.height);
  }

  get isWhole() {
    return this.scale <= this.least * 1.02;
  }

  resize(width, height) {
    const wasWhole = this.isWhole || this.width === 1;
    const [centreX, centreY] = this.toPlan(this.width / 2, this.height / 2);
    this.width = width;
    this.height = height;
    if (wasWhole) this.fit();
    else this.centre(centreX, centreY);
  }

  fit() {
    this.scale = this.least;
    this.clamp();
  }

  toPlan(x, y) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  toScreen(x, y) {
    return [x * this.scale + this.x, y * this.scale + this.y];
  }

  /** Zoom by FACTOR with the point (X, Y) of the window staying where it is. */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const [planX, planY] = this.toPlan(x, y);
    this.scale = Math.min(Math.max(this.scale * factor, this.least), Math.max(this.most, this.least));
    this.x = x - planX * this.scale;
    this.y = y - planY * this.scale;
    this.clamp();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.clamp();
  }

  /** Bring the plan's point to the middle, at SCALE when given. */
  centre(planX, planY, scale = this.scale) {
    this.scale = Math.min(Math.max(scale, this.least), Math.max(this.most, this.least));
    this.x = this.width / 2 - planX * this.scale;
    this.y = this.height / 2 - planY * this.scale;
    this.clamp();
  }

  /** Move as little as needed to have the plan's point in sight, MARGIN pixels from the edges; whether it moved. */
  reveal(planX, planY, margin) {
    const [x, y] = this.toScreen(planX, planY);
    const aside = Math.min(margin, this.width / 2);
    const above = Math.min(margin, this.height / 2);
    const dx = x < aside ? aside - x : x > this.width - aside ? this.width - aside - x : 0;
    const dy = y < above ? above - y : y > this.height - above ? this.height - above - y : 0;
    if (dx || dy) this.pan(dx, dy);
    return Boolean(dx || dy);
  }

  /** Never lose the plan out of the window: what is smaller than the window is centred, what is larger covers it. */
  clamp() {
    const { right, top } = this.edge;
    this.x = clampAxis(this.x, this.bounds.left, this.bounds.width, this.width - right, this.scale);
    this.y = top + clampAxis(this.y - top, this.bounds.top, this.bounds.height, this.height - top, this.scale);
  }
}

function clampAxis(offset, start, length, room, scale) {
  const size = length * scale;
  if (size <= room + 1e-6) return (room - size) / 2 - start * scale;
  const slack = Math.min(80, room * 0.15);
  return Math.min(slack - start * scale, Math.max(room - slack - size - start * scale, offset));
}
