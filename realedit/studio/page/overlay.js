// What lies over the photo: outlines of faces, points and arrows, landmarks, the mask, the cross, the hand.

const TAU = 2 * Math.PI;

export class Overlay {
  constructor(view, canvas) {
    this.view = view;
    this.context = canvas.getContext("2d");
    this.canvas = canvas;
    this.photo = null;
    this.work = null;
    this.face = null;
    this.hover = null; // number of the face under the pointer
    this.points = []; // as they are shown: those of the work, or on their way
    this.selected = null;
    this.pending = null; // a handle without a target, photo pixels
    this.hand = null; // {from, to}: what is pulled
    this.cross = null; // of the keyboard, photo pixels
    this.snapping = false;
    this.near = null; // the landmark that a press would take
    this.mask = null;
    this.brush = null; // {x, y, r, lasso} in screen pixels
    this.hidden = false;
  }

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      this.paint();
    });
  }

  paint() {
    const { context: c, canvas, view } = this;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, canvas.width, canvas.height);
    if (!this.photo || this.hidden) return;
    c.setTransform(canvas.width / view.width, 0, 0, canvas.height / view.height, 0, 0);
    this.mask?.paint(c, view);
    this.photo.faces.forEach((face, number) => this.outline(face, number));
    if (this.snapping && this.face !== null) this.landmarks();
    this.points.forEach((point, number) => this.arrow(point.handle, point.target, number === this.selected));
    if (this.pending) this.dot(this.pending, "--handle", 6);
    if (this.hand) this.arrow(this.hand.from, this.hand.to, true);
    if (this.cross) this.plus();
    if (this.brush) this.circle();
  }

  colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  outline(face, number) {
    // The corners of the face's square; a chosen face is left alone while it is worked on.
    const c = this.context;
    const chosen = number === this.face;
    if (chosen && (this.hand || this.points.length)) return;
    const corners = face.corners.map(([x, y]) => this.view.toScreen(x, y));
    const colour = chosen || number === this.hover ? this.colour("--accent") : "#ffffff";
    for (const [width, style] of [[4, "rgba(0,0,0,.35)"], [chosen ? 1.5 : 2, colour]]) {
      c.lineWidth = width;
      c.strokeStyle = style;
      c.globalAlpha = chosen ? 0.75 : 1;
      c.lineCap = "round";
      c.beginPath();
      corners.forEach(([x, y], i) => {
        for (const [ox, oy] of [corners[(i + 1) % 4], corners[(i + 3) % 4]]) {
          c.moveTo(x, y);
          c.lineTo(x + (ox - x) * (number === this.hover && !chosen ? 0.5 : 0.16), y + (oy - y) * (number === this.hover && !chosen ? 0.5 : 0.16));
        }
      });
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  landmarks() {
    const c = this.context;
    for (const [x, y] of this.photo.faces[this.face].landmarks) {
      const [sx, sy] = this.view.toScreen(x, y);
      c.beginPath();
      c.arc(sx, sy, this.near && this.near[0] === x && this.near[1] === y ? 5 : 2.2, 0, TAU);
      c.fillStyle = "rgba(0,0,0,.5)";
      c.fill();
      c.beginPath();
      c.arc(sx, sy, this.near && this.near[0] === x && this.near[1] === y ? 4 : 1.5, 0, TAU);
      c.fillStyle = "#fff";
      c.fill();
    }
  }

  arrow(handle, target, strong) {
    const c = this.context;
    const [x0, y0] = this.view.toScreen(...handle);
    const [x1, y1] = this.view.toScreen(...target);
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (length > 14) {
      const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
      for (const [width, style] of [[4.5, "rgba(0,0,0,.45)"], [2, "#fff"]]) {
        c.lineWidth = width;
        c.strokeStyle = style;
        c.beginPath();
        c.moveTo(x0 + ux * 7, y0 + uy * 7);
        c.lineTo(x1 - ux * 7, y1 - uy * 7);
        c.moveTo(x1 - ux * 15 - uy * 5, y1 - uy * 15 + ux * 5);
        c.lineTo(x1 - ux * 8, y1 - uy * 8);
        c.lineTo(x1 - ux * 15 + uy * 5, y1 - uy * 15 - ux * 5);
        c.stroke();
      }
    }
    this.dot(target, "--target", strong ? 6.5 : 5.5);
    this.dot(handle, "--handle", strong ? 6.5 : 5.5);
  }

  dot(at, colour, radius) {
    const c = this.context;
    const [x, y] = this.view.toScreen(...at);
    c.beginPath();
    c.arc(x, y, radius + 1.5, 0, TAU);
    c.fillStyle = "rgba(0,0,0,.5)";
    c.fill();
    c.beginPath();
    c.arc(x, y, radius, 0, TAU);
    c.fillStyle = "#fff";
    c.fill();
    c.beginPath();
    c.arc(x, y, radius - 1.8, 0, TAU);
    c.fillStyle = this.colour(colour);
    c.fill();
  }

  plus() {
    const c = this.context;
    const [x, y] = this.view.toScreen(...this.cross);
    for (const [width, style] of [[4, "rgba(0,0,0,.6)"], [1.6, "#fff"]]) {
      c.lineWidth = width;
      c.strokeStyle = style;
      c.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        c.moveTo(x + dx * 4, y + dy * 4);
        c.lineTo(x + dx * 13, y + dy * 13);
      }
      c.stroke();
    }
  }

  circle() {
    const c = this.context;
    const { x, y, r, lasso } = this.brush;
    for (const [width, style] of [[3, "rgba(0,0,0,.5)"], [1.4, "#fff"]]) {
      c.lineWidth = width;
      c.strokeStyle = style;
      c.beginPath();
      if (lasso) lasso.forEach(([lx, ly], i) => (i ? c.lineTo(lx, ly) : c.moveTo(lx, ly)));
      else c.arc(x, y, r, 0, TAU);
      c.stroke();
    }
  }
}
