// The pointer on the stage: what a press, a pull and a pinch mean with each tool. One finger does what the tool
// does, two zoom.

const NEAR = 12; // CSS pixels: so near to a point or landmark is on it
const STILL = 4; // CSS pixels: a hand that moved less clicked

export class Tools {
  // app: state, view, overlay, mask, send(type, fields), hint(), tool, refresh()
  constructor(app, canvas) {
    this.app = app;
    this.number = 0;
    this.pointers = new Map();
    this.action = null;
    this.space = false;
    canvas.addEventListener("pointerdown", (event) => this.down(event, canvas));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event, true));
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("dblclick", (event) => this.double(event));
  }

  // What is under the pointer

  faceAt([x, y]) {
    const faces = this.app.state.photo?.faces ?? [];
    const inside = faces.map((face, number) => ({ number, face })).filter(({ face }) => within(face.corners, x, y));
    const chosen = inside.find(({ number }) => number === this.app.state.face);
    return (chosen ?? inside[0])?.number ?? null;
  }

  pointAt(screen) {
    // The end of a point that lies under the pointer: targets first, since they lie on top.
    const { view, overlay } = this.app;
    for (const end of ["target", "handle"]) {
      for (let index = overlay.points.length - 1; index >= 0; index -= 1) {
        const at = view.toScreen(...overlay.points[index][end]);
        if (Math.hypot(at[0] - screen[0], at[1] - screen[1]) <= NEAR) return { index, end };
      }
    }
    return null;
  }

  snapped(at, screen) {
    // The landmark that is near, where that is wanted.
    const { view, overlay, state } = this.app;
    if (!overlay.snapping || state.face === null) return at;
    let best = null, least = NEAR;
    for (const landmark of state.photo.faces[state.face].landmarks) {
      const [x, y] = view.toScreen(...landmark);
      const away = Math.hypot(x - screen[0], y - screen[1]);
      if (away < least) [best, least] = [landmark, away];
    }
    overlay.near = best;
    return best ?? at;
  }

  // The pointer

  down(event, canvas) {
    const { app } = this;
    if (!app.state.photo || (event.button !== 0 && event.button !== 1)) return;
    canvas.setPointerCapture(event.pointerId);
    const screen = app.view.pointer(event);
    this.pointers.set(event.pointerId, screen);
    app.overlay.cross = null;
    if (this.pointers.size === 2) return this.pinch();
    if (this.pointers.size > 2) return;
    if (app.tool === "pan" || this.space || event.button === 1) this.action = new Pan(app, screen);
    else this.action = this.begun(app.view.toPhoto(...screen), screen, event.shiftKey);
    if (this.action) app.hint();
    app.overlay.draw();
  }

  begun(at, screen, shift) {
    const { app } = this;
    const face = this.faceAt(at);
    if (app.tool === "mask" && app.state.work) return new Stroke(app, at, screen);
    const point = app.tool === "mask" ? null : this.pointAt(screen);
    if (point && app.state.work) return new Shift(app, point, screen);
    if (face !== null && face !== app.state.face) {
      app.send("choose", { photo: app.state.photo.id, face });
      return null;
    }
    if (!app.state.work) return null;
    if (app.overlay.pending) return new Second(app, at);
    if (face === null) {
      if (app.state.face !== null) app.hint("beside");
      return new Pan(app, screen);
    }
    const from = this.snapped(at, screen);
    if (shift || app.tool === "points") return new NewPoint(app, from, screen);
    app.overlay.selected = null;
    return new Pull(app, from, screen, () => (this.number += 1));
  }

  move(event) {
    const { app } = this;
    const screen = app.view.pointer(event);
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, screen);
    if (this.action) this.action.move(app.view.toPhoto(...screen), screen, this.pointers);
    else this.hover(screen, event);
    app.overlay.draw();
  }

  up(event, cancelled = false) {
    const { app } = this;
    const known = this.pointers.delete(event.pointerId);
    if (!known || !this.action) return;
    if (this.action instanceof Pinch && this.pointers.size) return; // the other finger is still there
    const screen = app.view.pointer(event);
    this.action.up(app.view.toPhoto(...screen), screen, cancelled);
    this.action = null;
    app.refresh();
  }

  pinch() {
    this.action?.up(null, null, true);
    this.action = new Pinch(this.app, this.pointers);
  }

  cancel() {
    this.action?.up(null, null, true);
    this.action = null;
    this.app.overlay.pending = null;
    this.app.overlay.draw();
  }

  leave() {
    if (this.action) return;
    this.app.overlay.hover = this.app.overlay.brush = this.app.overlay.near = null;
    this.app.overlay.draw();
  }

  hover(screen, event) {
    const { app } = this;
    const at = app.view.toPhoto(...screen);
    const face = this.faceAt(at);
    app.overlay.hover = face;
    app.overlay.near = null;
    if (event.pointerType !== "touch") this.snapped(at, screen);
    app.overlay.brush = app.tool === "mask" && app.state.work && app.mask.mode !== "lasso" ? { x: screen[0], y: screen[1], r: app.mask.size / 2 } : null;
    const other = face !== null && face !== app.state.face;
    const grab = app.tool === "pan" || this.space || (face === null && app.tool !== "mask");
    app.stage.dataset.cursor = app.overlay.brush ? "none" : other || this.pointAt(screen) ? "pointer" : grab ? "grab" : "cross";
  }

  wheel(event) {
    event.preventDefault();
    const { view } = this.app;
    const unit = event.deltaMode === 1 ? 16 : 1;
    if (event.shiftKey && !event.ctrlKey) return view.pan(-(event.deltaX || event.deltaY) * unit, 0);
    view.zoomBy(Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.0016)), ...view.pointer(event));
  }

  double(event) {
    const { app } = this;
    const screen = app.view.pointer(event);
    if (this.faceAt(app.view.toPhoto(...screen)) !== null && app.tool !== "pan") return;
    if (app.view.fitted) app.view.real(...screen);
    else app.view.fit();
  }
}

function within(corners, x, y) {
  // Whether a point lies in a square, whichever way it is turned.
  return corners.every(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % 4];
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0;
  });
}

class Pull {
  // The face follows the hand.
  constructor(app, from, screen, next) {
    [this.app, this.from, this.screen, this.next] = [app, from, screen, next];
    this.at = from;
    app.overlay.hand = { from, to: from };
    this.say("press");
  }

  say(type) {
    const number = this.next();
    this.app.times.asked(number);
    this.app.send(type, { x: this.at[0], y: this.at[1], number });
  }

  move(at, screen) {
    // The grip stays where it was taken, also where that was snapped to a landmark.
    const start = this.app.view.toPhoto(...this.screen);
    this.at = [this.from[0] + at[0] - start[0], this.from[1] + at[1] - start[1]];
    this.app.overlay.hand.to = this.at;
    this.say("move");
  }

  up(at, screen, cancelled) {
    this.app.overlay.hand = null;
    this.app.send(cancelled ? "stop" : "release");
  }
}

class NewPoint {
  // Pressed at the handle, let go at the target; a click alone waits for the target.
  constructor(app, handle, screen) {
    [this.app, this.handle, this.screen] = [app, handle, screen];
    app.overlay.hand = { from: handle, to: handle };
  }

  move(at) {
    this.app.overlay.hand.to = at;
  }

  up(at, screen, cancelled) {
    const { app } = this;
    app.overlay.hand = null;
    if (cancelled) return;
    if (Math.hypot(screen[0] - this.screen[0], screen[1] - this.screen[1]) < STILL) app.overlay.pending = this.handle;
    else app.put(this.handle, at);
  }
}

class Second {
  // The target of a handle that was clicked.
  constructor(app, at) {
    [this.app, this.at] = [app, at];
  }

  move(at) {
    this.at = at;
  }

  up(at, screen, cancelled) {
    const handle = this.app.overlay.pending;
    this.app.overlay.pending = null;
    if (!cancelled && handle) this.app.put(handle, this.at);
  }
}

class Shift {
  // One end of a point goes somewhere else.
  constructor(app, { index, end }, screen) {
    Object.assign(this, { app, index, end, screen });
    app.overlay.selected = index;
  }

  move(at) {
    this.app.overlay.points = this.app.overlay.points.map((point, i) => (i === this.index ? { ...point, [this.end]: at } : point));
    this.moved = at;
  }

  up(at, screen, cancelled) {
    if (this.moved && !cancelled) this.app.send("aim", { index: this.index, end: this.end, x: this.moved[0], y: this.moved[1] });
  }
}

class Stroke {
  constructor(app, at, screen) {
    [this.app, this.last] = [app, at];
    app.mask.for(app.state.photo, app.state.face);
    app.mask.remember();
    this.lasso = app.mask.mode === "lasso" ? { photo: [at], screen: [screen] } : null;
    this.move(at, screen);
  }

  move(at, screen) {
    const { mask, overlay, view } = this.app;
    if (this.lasso) {
      this.lasso.photo.push(at);
      this.lasso.screen.push(screen);
      overlay.brush = { lasso: this.lasso.screen };
      return;
    }
    mask.line(this.last, at, mask.size / 2 / view.scale);
    this.last = at;
    overlay.brush = { x: screen[0], y: screen[1], r: mask.size / 2 };
  }

  up(at, screen, cancelled) {
    const { mask, overlay } = this.app;
    if (this.lasso && !cancelled && this.lasso.photo.length > 3) mask.polygon(this.lasso.photo);
    overlay.brush = null;
    if (cancelled) mask.undo();
    else mask.sent();
  }
}

class Pan {
  constructor(app, screen) {
    [this.app, this.last] = [app, screen];
    app.stage.dataset.cursor = "grabbing";
  }

  move(at, screen) {
    this.app.view.pan(screen[0] - this.last[0], screen[1] - this.last[1]);
    this.last = screen;
  }

  up() {
    this.app.stage.dataset.cursor = "grab";
  }
}

class Pinch {
  constructor(app, pointers) {
    this.app = app;
    this.last = spread(pointers);
  }

  move(at, screen, pointers) {
    if (pointers.size < 2) return;
    const now = spread(pointers);
    this.app.view.pan(now.x - this.last.x, now.y - this.last.y);
    this.app.view.zoomBy(now.apart / Math.max(this.last.apart, 1), now.x, now.y);
    this.last = now;
  }

  up() {}
}

function spread(pointers) {
  const [[ax, ay], [bx, by]] = [...pointers.values()];
  return { x: (ax + bx) / 2, y: (ay + by) / 2, apart: Math.hypot(ax - bx, ay - by) };
}
