// The page: puts the parts together and keeps what the worker told last.

import { Dialogs } from "./dialogs.js";
import { place } from "./icons.js";
import { keys } from "./keys.js";
import { Mask } from "./mask.js";
import { Overlay } from "./overlay.js";
import { $, Panels, segments, toast } from "./panels.js";
import { Socket } from "./socket.js";
import { text, write } from "./text.js";
import { Times } from "./times.js";
import { Tools } from "./tools.js";
import { View } from "./view.js";

class App {
  constructor() {
    this.state = { photos: [], photo: null, face: null, work: null, running: null, progress: null, options: { reach: "local", quality: "standard", seed: 0, steps: 300 } };
    this.tool = "drag";
    this.styles = [];
    this.extensions = [];
    this.grip = null;
    this.number = 0;
    this.begun = false; // whether the points that are set were dragged before
    this.uploading = 0;
    this.times = new Times();
    this.stage = $("stage");
    this.view = new View(this.stage, $("picture"), () => this.moved());
    this.overlay = new Overlay(this.view, $("overlay"));
    this.mask = new Mask(() => this.overlay.draw(), (words) => toast(words, "error"));
    this.overlay.mask = this.mask;
    this.panels = new Panels(this);
    this.dialogs = new Dialogs(this);
    this.tools = new Tools(this, $("overlay"));
    Object.defineProperty(this.tools, "number", { get: () => this.number, set: (value) => (this.number = value) });
    this.buttons();
    this.files();
    keys(this);
    this.socket = new Socket({
      hello: (event) => this.hello(event),
      state: (event) => this.told(event),
      picture: (header, blob) => this.picture(header, blob),
      rendered: (event) => this.rendered(event),
      progress: (event) => this.progress(event),
      notice: ({ text: words, kind }) => toast(words, kind),
      waiting: () => this.dialogs.curtain(text.waitingTitle, text.waitingText),
      lost: () => this.dialogs.curtain(text.lostTitle, text.lostText),
    });
  }

  send(type, fields) {
    this.socket.send(type, fields);
  }

  // What the worker tells

  hello({ recipes, styles, extensions, folder, largest }) {
    this.dialogs.curtain(null);
    Object.assign(this, { styles, extensions, folder, largest });
    this.panels.recipes(recipes);
    this.scaled = null;
    this.moved();
  }

  told(event) {
    const before = this.state;
    const photo = event.photos.find(({ id }) => id === event.photo) ?? null;
    this.state = { ...event, photo };
    if (event.running === "run") this.begun = true;
    if (!event.work?.points.length) this.begun = false;
    const other = before.photo?.id !== photo?.id || before.face !== event.face;
    if (other) this.overlay.pending = this.overlay.selected = this.overlay.cross = null;
    this.view.show(photo);
    if (photo && !this.tools.action) this.overlay.points = event.work?.points ?? [];
    Object.assign(this.overlay, { photo, work: event.work, face: event.face });
    if (event.work?.mask && (other || !this.mask.canvas)) this.mask.fetch(photo, event.face).catch(() => {});
    else if (other || (!event.work?.mask && before.work?.mask)) this.mask.clear();
    this.progress(event.progress);
    this.refresh();
    this.moved();
  }

  refresh() {
    this.panels.draw();
    if (this.view.divider !== null) this.view.needBefore();
    this.hint();
    this.overlay.draw();
  }

  async picture(header, blob) {
    this.panels.step(header.step);
    if (header.step && this.state.running === "run") this.follow(header.step.handles);
    try {
      await this.view.live(header, blob);
      this.times.painted(header.number);
    } finally {
      this.send("shown", { number: header.number });
    }
  }

  follow(handles) {
    this.overlay.points = this.overlay.points.map((point, i) => (handles[i] ? { ...point, handle: handles[i] } : point));
    this.overlay.draw();
  }

  rendered({ photo, revision }) {
    if (this.state.photo?.id === photo) this.view.load("after", revision);
  }

  progress(told) {
    const upload = this.uploading > 0;
    $("progress").hidden = !told && !upload;
    if (!told && !upload) return;
    const share = told ? told.done / Math.max(1, told.total) : 0.3;
    $("progress").firstChild.style.width = `${100 * share}%`;
    $("progress").lastChild.textContent = text.progress[told?.quality ?? "reading"];
    $("progress").setAttribute("aria-valuenow", Math.round(100 * share));
    $("progress").setAttribute("aria-valuetext", $("progress").lastChild.textContent);
  }

  hint(name) {
    const { photo, work, face, running } = this.state;
    let now = "";
    if (photo?.error) now = photo.error;
    else if (name) now = text.hints[name];
    else if (photo?.looking) now = text.hints.looking;
    else if (photo && !photo.faces.length) now = text.hints.none;
    else if (photo && face === null) now = text.hints.choose;
    else if (running === "run") now = text.hints.running;
    else if (work && !work.quality) now = text.hints.preparing;
    else if (work && work.at === 0) now = text.hints[this.tool];
    $("hint").textContent = this.tools?.action && !name ? "" : now;
  }

  moved() {
    // The place of the photo on the screen is another one.
    this.overlay?.draw();
    if (!this.view || !this.socket) return;
    $("zoom-fit").textContent = `${Math.round(this.view.scale * this.view.ratio * 100)} %`;
    const scale = Math.min(64, Math.max(1e-3, Math.round(this.view.scale * this.view.ratio * 20) / 20 || 0.05));
    if (this.state.photo && scale !== this.scaled) {
      this.scaled = scale;
      this.send("look", { scale });
    }
    this.place();
  }

  // Tools

  choose(tool) {
    this.tools.cancel();
    this.tool = tool;
    for (const button of document.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", button.dataset.tool === tool);
    $("mask-box").hidden = tool !== "mask";
    this.mask.visible = tool === "mask";
    segments($("mask-mode"), text.maskModes, this.mask.mode, (mode) => this.brushMode(mode));
    this.stage.dataset.cursor = tool === "pan" ? "grab" : "cross";
    this.refresh();
  }

  brushMode(mode) {
    this.mask.mode = mode;
    this.choose("mask");
  }

  brush(factor) {
    this.mask.size = Math.min(160, Math.max(4, this.mask.size * factor));
    $("mask-size").value = this.mask.size;
    if (this.overlay.brush) this.overlay.brush.r = this.mask.size / 2;
    this.overlay.draw();
  }

  snap() {
    this.overlay.snapping = !this.overlay.snapping;
    $("snap").setAttribute("aria-pressed", this.overlay.snapping);
    this.overlay.draw();
  }

  put(handle, target) {
    this.overlay.points = [...this.overlay.points, { handle, target }];
    this.overlay.selected = this.overlay.points.length - 1;
    this.send("put", { handle, target });
  }

  point(at) {
    // By keyboard: first the handle, then the target.
    if (this.overlay.pending) {
      this.put(this.overlay.pending, at);
      this.overlay.pending = null;
    } else this.overlay.pending = [...at];
    this.refresh();
  }

  drop() {
    const { selected, points } = this.overlay;
    const index = selected ?? points.length - 1;
    if (index < 0 || index >= points.length) return;
    this.overlay.selected = null;
    this.send("drop", { index });
  }

  stop() {
    this.grip = this.overlay.hand = null;
    this.tools.cancel();
    this.send("stop");
  }

  grab(at) {
    this.grip = [...at];
    this.overlay.hand = { from: [...at], to: [...at] };
    this.pull("press", at);
  }

  pullTo(at) {
    this.overlay.hand.to = [...at];
    this.pull("move", at);
  }

  pull(type, [x, y]) {
    this.number += 1;
    this.times.asked(this.number);
    this.send(type, { x, y, number: this.number });
  }

  letGo() {
    this.grip = this.overlay.hand = null;
    this.send("release");
    this.overlay.draw();
  }

  // Comparing

  compare(on) {
    if (!this.state.photo || on === this.view.comparing) return;
    this.view.needBefore();
    this.view.comparing = this.overlay.hidden = on;
    $("badge").hidden = !on;
    $("badge").textContent = text.badges.before;
    this.view.draw();
    this.overlay.draw();
  }

  split(on = this.view.divider === null) {
    if (!this.state.photo) return;
    this.view.divider = on ? 0.5 : null;
    $("split").setAttribute("aria-pressed", on);
    $("divider").hidden = !on;
    if (on) this.view.needBefore();
    this.place();
    this.view.draw();
  }

  place() {
    if (this.view.divider === null) return;
    $("divider").style.left = `${100 * this.view.divider}%`;
    $("divider").setAttribute("aria-valuenow", Math.round(100 * this.view.divider));
  }

  divide(share) {
    this.view.divider = Math.min(1, Math.max(0, share));
    this.place();
    this.view.draw();
  }

  // Buttons and files

  buttons() {
    $("undo").onclick = () => this.send("undo");
    $("redo").onclick = () => this.send("redo");
    $("reset").onclick = () => this.send("goto", { at: 0 });
    $("zoom-in").onclick = () => this.view.zoomBy(1.25);
    $("zoom-out").onclick = () => this.view.zoomBy(0.8);
    $("zoom-fit").onclick = () => (this.view.fitted ? this.view.real() : this.view.fit());
    $("split").onclick = () => this.split();
    $("snap").onclick = () => this.snap();
    $("theme").onclick = () => theme(document.documentElement.dataset.theme === "light" ? "dark" : "light", () => this.view.draw());
    $("compare").onpointerdown = () => this.compare(true);
    for (const name of ["pointerup", "pointerleave", "pointercancel"]) $("compare").addEventListener(name, () => this.compare(false));
    for (const button of document.querySelectorAll("[data-tool]")) button.onclick = () => this.choose(button.dataset.tool);
    $("mask-size").oninput = () => (this.mask.size = Number($("mask-size").value));
    $("mask-opacity").oninput = () => {
      this.mask.opacity = $("mask-opacity").value / 100;
      this.overlay.draw();
    };
    $("mask-face").onclick = () => {
      const { photo, face, work } = this.state;
      if (!work || photo.faces[face].landmarks.length < 68) return;
      this.mask.for(photo, face);
      this.mask.face_(photo.faces[face].landmarks);
    };
    $("mask-undo").onclick = () => this.mask.canvas && this.mask.undo();
    $("mask-clear").onclick = () => this.state.work && this.send("unmask");
    const divider = $("divider");
    divider.onpointerdown = (event) => divider.setPointerCapture(event.pointerId);
    divider.onpointermove = (event) => divider.hasPointerCapture(event.pointerId) && this.divide(this.view.pointer(event)[0] / this.view.width);
    divider.onkeydown = (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!step) return;
      event.stopPropagation();
      event.preventDefault();
      this.divide(this.view.divider + step);
    };
  }

  files() {
    const pick = () => $("file").click();
    $("open").onclick = $("open-large").onclick = pick;
    $("file").onchange = () => {
      this.upload([...$("file").files]);
      $("file").value = "";
    };
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.stage.classList.add("over");
    });
    document.addEventListener("dragleave", (event) => !event.relatedTarget && this.stage.classList.remove("over"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.stage.classList.remove("over");
      this.upload([...event.dataTransfer.files]);
    });
    document.addEventListener("paste", (event) => this.upload([...event.clipboardData.files]));
  }

  async upload(files) {
    for (const file of files) {
      if (file.size > this.largest) {
        toast(text.tooLarge(file.name, this.largest >> 20), "error");
        continue;
      }
      this.uploading += 1;
      this.progress(this.state.progress);
      try {
        const answer = await fetch("/api/photos", { method: "POST", body: file, headers: { "x-name": encodeURIComponent(file.name) } });
        if (!answer.ok) toast((await answer.text()).trim(), "error");
      } catch (error) {
        toast(error.message, "error");
      }
      this.uploading -= 1;
      this.progress(this.state.progress);
    }
  }
}

function theme(name, changed = () => {}) {
  document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem("theme", name);
  } catch {
    // without a memory it is chosen anew next time
  }
  changed();
}

function usual() {
  try {
    const kept = localStorage.getItem("theme");
    if (kept) return kept;
  } catch {
    // the system's then
  }
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

theme(usual());
write();
place();
globalThis.studio = new App();
