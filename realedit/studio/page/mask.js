// The mask: painted at a size of its own, sent after every stroke, kept by the worker.

const SIDE = 1024;
const KEPT = 30; // strokes that can be undone

export class Mask {
  constructor(changed, failed) {
    this.changed = changed;
    this.failed = failed;
    this.mode = "paint";
    this.size = 48; // CSS pixels across
    this.opacity = 0.5;
    this.clear();
  }

  clear() {
    this.canvas = null;
    this.before = [];
    this.photo = null;
    this.face = null;
  }

  for(photo, face) {
    // A mask of another face begins empty.
    if (this.photo?.id === photo.id && this.face === face && this.canvas) return;
    this.clear();
    [this.photo, this.face] = [photo, face];
    const scale = Math.min(1, SIDE / Math.max(photo.width, photo.height));
    this.canvas = new OffscreenCanvas(Math.max(1, Math.round(photo.width * scale)), Math.max(1, Math.round(photo.height * scale)));
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.kx = this.canvas.width / photo.width;
    this.ky = this.canvas.height / photo.height;
    this.empty = true;
  }

  async fetch(photo, face) {
    // What the worker has, after a reload.
    this.for(photo, face);
    const answer = await fetch(`/api/view/${photo.id}?which=mask&side=${SIDE}&r=${Date.now()}`);
    if (!answer.ok) return;
    const bitmap = await createImageBitmap(await answer.blob());
    const { width, height } = this.canvas;
    this.context.drawImage(bitmap, 0, 0, width, height);
    const pixels = this.context.getImageData(0, 0, width, height);
    for (let i = 0; i < pixels.data.length; i += 4) {
      const on = pixels.data[i] >= 128;
      pixels.data.set([255, 255, 255, on ? 255 : 0], i);
    }
    this.context.putImageData(pixels, 0, 0);
    this.empty = false;
    this.tint();
    this.changed();
  }

  remember() {
    this.before.push(this.context.getImageData(0, 0, this.canvas.width, this.canvas.height));
    if (this.before.length > KEPT) this.before.shift();
  }

  line(from, to, radius) {
    // Photo pixels.
    const c = this.context;
    c.globalCompositeOperation = this.mode === "erase" ? "destination-out" : "source-over";
    c.strokeStyle = "#fff";
    c.lineCap = "round";
    c.lineWidth = 2 * radius * this.kx;
    c.beginPath();
    c.moveTo(from[0] * this.kx, from[1] * this.ky);
    c.lineTo(to[0] * this.kx + 0.01, to[1] * this.ky);
    c.stroke();
    c.globalCompositeOperation = "source-over";
    this.tint();
  }

  polygon(points) {
    const c = this.context;
    c.fillStyle = "#fff";
    c.beginPath();
    points.forEach(([x, y], i) => (i ? c.lineTo(x * this.kx, y * this.ky) : c.moveTo(x * this.kx, y * this.ky)));
    c.fill();
    this.tint();
  }

  face_(landmarks) {
    // The jaw, and a forehead as high as the brows are above the nose's base.
    const jaw = landmarks.slice(0, 17);
    const [nose, brows] = [landmarks[33], landmarks[21].map((v, i) => (v + landmarks[22][i]) / 2)];
    const up = [0.75 * (brows[0] - nose[0]), 0.75 * (brows[1] - nose[1])];
    const top = landmarks.slice(17, 27).map(([x, y]) => [x + up[0], y + up[1]]);
    this.remember();
    this.polygon([...jaw, ...top.reverse()]);
    this.sent();
  }

  undo() {
    const last = this.before.pop();
    if (!last) return false;
    this.context.putImageData(last, 0, 0);
    this.tint();
    this.sent();
    return true;
  }

  tint() {
    // The mask in the colour that it is shown in, made once per change.
    this.shown ??= new OffscreenCanvas(1, 1);
    if (this.shown.width !== this.canvas.width || this.shown.height !== this.canvas.height) {
      this.shown.width = this.canvas.width;
      this.shown.height = this.canvas.height;
    }
    const c = this.shown.getContext("2d");
    c.globalCompositeOperation = "copy";
    c.drawImage(this.canvas, 0, 0);
    c.globalCompositeOperation = "source-in";
    c.fillStyle = "#35c4a3";
    c.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.empty = false;
  }

  paint(context, view) {
    if (!this.canvas || this.empty || !this.visible || this.photo.id !== view.photo?.id) return;
    const [x, y] = view.toScreen(0, 0);
    context.globalAlpha = this.opacity;
    context.drawImage(this.shown, x, y, this.photo.width * view.scale, this.photo.height * view.scale);
    context.globalAlpha = 1;
  }

  sent() {
    this.changed();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.send(), 120);
  }

  async send() {
    // White may move, on black.
    const whole = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    const c = whole.getContext("2d");
    c.fillRect(0, 0, whole.width, whole.height);
    c.drawImage(this.canvas, 0, 0);
    const body = await whole.convertToBlob({ type: "image/png" });
    const answer = await fetch(`/api/mask/${this.photo.id}/${this.face}`, { method: "POST", body });
    if (!answer.ok) this.failed(await answer.text());
  }
}
