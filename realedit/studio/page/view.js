// The photo on the screen: where it is, its pictures, and what is compared. Photo pixels are the coordinates of
// everything else; the screen's are CSS pixels of the stage.

const WHOLE = 2048; // pixels of the picture of the whole photo
const MOST = 4096;
const LARGEST_ZOOM = 16;

async function bitmapOf(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(await answer.text());
  return createImageBitmap(await answer.blob());
}

export class View {
  constructor(stage, canvas, changed) {
    this.stage = stage;
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.changed = changed; // called when the place or size of the photo on the screen is another one
    this.photo = null;
    this.scale = 1; // CSS pixels per photo pixel
    this.x = 0; // of the photo's corner, CSS pixels of the stage
    this.y = 0;
    this.fitted = true;
    this.whole = { before: null, after: null }; // {bitmap, revision}
    this.detail = { before: null, after: null }; // {bitmap, box, revision}
    this.patch = null; // {bitmap, at, revision}
    this.comparing = false;
    this.divider = null; // share of the stage, where before ends
    this.painted = []; // functions that are called once what is there now is on the screen
    new ResizeObserver(() => this.resize()).observe(stage);
    this.resize();
  }

  // Places

  toPhoto(x, y) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  toScreen(x, y) {
    return [x * this.scale + this.x, y * this.scale + this.y];
  }

  pointer(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  resize() {
    const box = this.stage.getBoundingClientRect();
    this.width = box.width;
    this.height = box.height;
    this.ratio = window.devicePixelRatio || 1;
    for (const canvas of this.stage.querySelectorAll(":scope > canvas")) {
      canvas.width = Math.max(1, Math.round(box.width * this.ratio));
      canvas.height = Math.max(1, Math.round(box.height * this.ratio));
    }
    if (this.fitted) this.fit();
    this.moved();
  }

  fit() {
    if (!this.photo) return;
    const room = 24;
    const scale = Math.min((this.width - 2 * room) / this.photo.width, (this.height - 2 * room) / this.photo.height);
    this.scale = Math.max(1e-3, Math.min(scale, 4));
    this.x = (this.width - this.photo.width * this.scale) / 2;
    this.y = (this.height - this.photo.height * this.scale) / 2;
    this.fitted = true;
    this.moved();
  }

  zoomTo(scale, x = this.width / 2, y = this.height / 2) {
    if (!this.photo) return;
    const [px, py] = this.toPhoto(x, y);
    const fit = Math.min(this.width / this.photo.width, this.height / this.photo.height);
    this.scale = Math.min(Math.max(scale, fit / 4), LARGEST_ZOOM / this.ratio);
    this.x = x - px * this.scale;
    this.y = y - py * this.scale;
    this.fitted = false;
    this.moved();
  }

  zoomBy(factor, x, y) {
    this.zoomTo(this.scale * factor, x, y);
  }

  real(x, y) {
    this.zoomTo(1 / this.ratio, x, y);
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.moved();
  }

  moved() {
    if (this.photo) {
      const keep = 60; // some of the photo stays on the stage
      const [w, h] = [this.photo.width * this.scale, this.photo.height * this.scale];
      this.x = Math.min(Math.max(this.x, keep - w), this.width - keep);
      this.y = Math.min(Math.max(this.y, keep - h), this.height - keep);
    }
    this.draw();
    this.changed();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.sharpen(), 140);
  }

  // Pictures

  show(photo) {
    const other = !this.photo || !photo || this.photo.id !== photo.id;
    this.photo = photo;
    if (!other) return;
    this.whole = { before: null, after: null };
    this.detail = { before: null, after: null };
    this.patch = null;
    if (photo) {
      this.fit();
      this.load("after", photo.rendered);
    }
    this.draw();
  }

  async load(which, revision) {
    const photo = this.photo;
    const url = `/api/view/${photo.id}?which=${which}&side=${WHOLE}&r=${revision}`;
    try {
      const [bitmap, detail] = await Promise.all([bitmapOf(url), this.sharp(which, revision)]);
      if (this.photo?.id !== photo.id || (this.whole[which]?.revision ?? -1) > revision) return;
      this.whole[which] = { bitmap, revision };
      this.detail[which] = detail;
      if (which === "after" && this.patch && this.patch.revision <= revision) this.patch = null;
      this.draw();
    } catch (error) {
      console.warn(error.message);
    }
  }

  async sharp(which, revision) {
    // The part that is seen, where the picture of the whole is too coarse for it.
    const { photo } = this;
    const need = this.scale * this.ratio;
    if (need <= Math.min(1, WHOLE / Math.max(photo.width, photo.height)) * 1.02) return null;
    const [left, top] = this.toPhoto(0, 0).map((v) => Math.floor(v) - 8);
    const [right, bottom] = this.toPhoto(this.width, this.height).map((v) => Math.ceil(v) + 8);
    const x = Math.max(0, left), y = Math.max(0, top);
    const w = Math.min(photo.width, right) - x, h = Math.min(photo.height, bottom) - y;
    if (w <= 0 || h <= 0) return null;
    const side = Math.min(MOST, Math.max(1, Math.ceil(Math.max(w, h) * Math.min(1, need))));
    const url = `/api/view/${photo.id}?which=${which}&x=${x}&y=${y}&w=${w}&h=${h}&side=${side}&r=${revision}`;
    return { bitmap: await bitmapOf(url), box: [x, y, w, h], need, revision };
  }

  async sharpen() {
    if (!this.photo) return;
    for (const which of ["after", "before"]) {
      if (!this.whole[which]) continue;
      const [revision, photo, at] = [this.whole[which].revision, this.photo.id, [this.x, this.y, this.scale].join()];
      if (this.covers(this.detail[which])) continue;
      const detail = await this.sharp(which, revision).catch(() => null);
      if (this.photo?.id !== photo || this.whole[which]?.revision !== revision) return;
      if (at === [this.x, this.y, this.scale].join()) this.detail[which] = detail;
    }
    this.draw();
  }

  covers(detail) {
    if (!detail) return false;
    const [x, y, w, h] = detail.box;
    const [left, top] = this.toPhoto(0, 0);
    const [right, bottom] = this.toPhoto(this.width, this.height);
    const inside = x <= Math.max(0, left) && y <= Math.max(0, top) && x + w >= Math.min(this.photo.width, right) && y + h >= Math.min(this.photo.height, bottom);
    return inside && detail.need >= Math.min(1, this.scale * this.ratio) * 0.98;
  }

  needBefore() {
    if (this.photo && !this.whole.before) this.load("before", 0);
  }

  async live(header, blob) {
    // A quick picture of a part; older ones than what is there are not shown. Resolves when it is painted.
    const old = () => header.photo !== this.photo?.id || header.revision <= (this.whole.after?.revision ?? -1);
    if (old()) return;
    const bitmap = await createImageBitmap(blob);
    if (old() || (this.patch && this.patch.revision > header.revision)) return;
    this.patch?.bitmap.close();
    this.patch = { bitmap, at: header.at, revision: header.revision };
    await new Promise((done) => {
      this.painted.push(done);
      this.draw();
    });
  }

  // Drawing

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      this.paint();
      for (const done of this.painted.splice(0)) done();
    });
  }

  paint() {
    const { context: c, canvas } = this;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.fillStyle = getComputedStyle(this.stage).backgroundColor;
    c.fillRect(0, 0, canvas.width, canvas.height);
    if (!this.photo || !this.whole.after) return;
    const kx = canvas.width / this.width, ky = canvas.height / this.height;
    c.setTransform(this.scale * kx, 0, 0, this.scale * ky, this.x * kx, this.y * ky);
    c.imageSmoothingQuality = "high";
    c.imageSmoothingEnabled = this.scale * this.ratio < 3; // from there on pixels are looked at
    const before = this.comparing && this.whole.before;
    this.side(before ? "before" : "after");
    if (this.divider !== null && this.whole.before && !before) {
      c.save();
      c.setTransform(kx, 0, 0, ky, 0, 0);
      c.beginPath();
      c.rect(0, 0, this.divider * this.width, this.height);
      c.clip();
      c.setTransform(this.scale * kx, 0, 0, this.scale * ky, this.x * kx, this.y * ky);
      this.side("before");
      c.restore();
    }
  }

  side(which) {
    const c = this.context;
    c.drawImage(this.whole[which].bitmap, 0, 0, this.photo.width, this.photo.height);
    const detail = this.detail[which];
    if (detail) c.drawImage(detail.bitmap, ...detail.box);
    if (which === "after" && this.patch) c.drawImage(this.patch.bitmap, ...this.patch.at);
  }
}
