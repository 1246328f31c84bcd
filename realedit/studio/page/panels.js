// The bar, the panel and the filmstrip, drawn from the state that the worker tells.

import { icon } from "./icons.js";
import { text } from "./text.js";

export const $ = (id) => document.getElementById(id);

export function segments(box, names, chosen, pick) {
  // A row of choices of which one holds.
  if (!box.children.length) {
    for (const [value, label] of Object.entries(names)) {
      const button = document.createElement("button");
      button.type = "button";
      button.role = "radio";
      button.textContent = label;
      button.dataset.value = value;
      button.onclick = () => pick(value);
      box.append(button);
    }
    box.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const all = [...box.children];
      const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
      next.focus();
      next.click();
    });
  }
  for (const button of box.children) {
    const on = button.dataset.value === chosen;
    button.setAttribute("aria-checked", on);
    button.tabIndex = on ? 0 : -1;
  }
}

export function toast(words, kind = "note") {
  const box = document.createElement("div");
  box.className = `toast ${kind}`;
  box.textContent = words;
  if (kind === "error") box.role = "alert";
  $("toasts").append(box);
  while ($("toasts").children.length > 4) $("toasts").firstChild.remove();
  setTimeout(() => box.remove(), kind === "note" ? 3500 : 9000);
}

export class Panels {
  constructor(app) {
    this.app = app;
    this.losses = [];
    $("strength").oninput = () => this.strength();
    for (const id of ["quality", "most-steps", "seed"]) $(id).onchange = () => this.configure();
    for (const [value, label] of Object.entries(text.qualities)) $("quality").append(new Option(label, value));
    $("start").onclick = () => app.send("start");
    $("stop").onclick = () => app.send("stop");
    $("clear").onclick = () => app.send("drop", { index: null });
  }

  recipes(list) {
    $("recipes").replaceChildren(
      ...list.map(({ name, description }) => {
        const button = document.createElement("button");
        button.textContent = text.recipeName(name);
        button.title = description;
        button.dataset.recipe = name;
        button.onclick = () => {
          $("strength").value = 1;
          this.apply(name, 1);
        };
        return button;
      }),
    );
  }

  apply(name, strength) {
    this.app.number += 1;
    this.app.times.asked(this.app.number, "recipe");
    this.app.send("apply", { recipe: name, strength, number: this.app.number });
  }

  strength() {
    const value = Number($("strength").value);
    $("strength-value").textContent = value.toFixed(2);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.apply(this.recipe, value), 60);
  }

  configure(change = {}) {
    const options = { ...this.app.state.options, quality: $("quality").value, ...change };
    for (const [id, key] of [["most-steps", "steps"], ["seed", "seed"]]) {
      const box = $(id);
      if (box.value !== "" && box.checkValidity()) options[key] = Math.round(Number(box.value));
    }
    this.app.send("configure", options);
  }

  draw() {
    const { state } = this.app;
    const { photo, work, options } = state;
    $("name").textContent = photo ? `${photo.name}   ${photo.width} × ${photo.height}` : "";
    $("empty").hidden = Boolean(photo);
    $("undo").disabled = !work || work.at === 0;
    $("redo").disabled = !work || work.at === work.history.length - 1;
    $("reset").disabled = !work || work.at === 0;
    for (const id of ["compare", "split", "export"]) $(id).disabled = !photo;
    segments($("reach"), text.reaches, options.reach, (reach) => this.configure({ reach }));
    $("quality").value = options.quality;
    if (document.activeElement !== $("seed")) $("seed").value = options.seed;
    if (document.activeElement !== $("most-steps")) $("most-steps").value = options.steps;
    const ready = Boolean(work?.quality);
    for (const button of $("recipes").children) {
      button.disabled = !ready;
      button.setAttribute("aria-pressed", work?.recipe?.[0] === button.dataset.recipe);
    }
    this.drawStrength(work);
    this.drawRun(state);
    this.history(work);
    this.film(state);
    $("d-quality").textContent = work?.quality ? text.qualities[work.quality] : "–";
  }

  drawStrength(work) {
    const [name, strength] = work?.recipe ?? [];
    $("strength-box").hidden = !name;
    if (!name && this.recipe && document.activeElement === $("strength")) $("strength-box").hidden = false;
    else this.recipe = name;
    if (!name) return;
    $("strength-name").textContent = text.recipeName(name);
    if (document.activeElement !== $("strength")) $("strength").value = strength;
    $("strength-value").textContent = Number($("strength").value).toFixed(2);
  }

  drawRun({ work, running }) {
    const { overlay, tool } = this.app;
    const count = work?.points.length ?? 0;
    $("run-box").hidden = !work || (!count && !overlay.pending && tool !== "points" && running !== "run");
    $("point-count").textContent = overlay.pending ? text.pointAim : text.pointCount(count);
    $("start").disabled = !count || Boolean(running) || !work?.quality;
    $("stop").disabled = running !== "run";
    $("clear").disabled = !count || running === "run";
    $("start").lastChild.textContent = this.app.begun && count ? text.go_on : text.start;
  }

  history(work) {
    const list = work?.history ?? [];
    $("no-history").hidden = list.length > 1;
    $("history").hidden = list.length <= 1;
    const key = JSON.stringify([list, work?.at]);
    if (key === this.shown) return;
    this.shown = key;
    $("history").replaceChildren(
      ...list.map((step, at) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        const image = document.createElement("img");
        image.src = `/api/thumbnail/${step.thumbnail}`;
        image.alt = "";
        image.loading = "lazy";
        const words = document.createElement("span");
        const label = text.labels[step.label] ?? text.recipeName(step.label);
        words.textContent = step.strength !== null && step.strength !== 1 ? `${label} ${step.strength}` : label;
        button.append(image, words);
        button.title = words.textContent;
        button.setAttribute("aria-label", text.historyStep(words.textContent, at));
        if (at === work.at) button.setAttribute("aria-current", "true");
        button.onclick = () => this.app.send("goto", { at });
        item.className = at > work.at ? "future" : "";
        item.append(button);
        return item;
      }),
    );
  }

  film(state) {
    const key = JSON.stringify([state.photos.map(({ id, thumbnail, revision, name }) => [id, thumbnail, revision > 0, name]), state.photo?.id]);
    if (key === this.filmed) return;
    this.filmed = key;
    const add = document.createElement("button");
    add.className = "add";
    add.append(icon("plus"));
    add.setAttribute("aria-label", text.add);
    add.title = text.add;
    add.onclick = () => $("file").click();
    $("film").replaceChildren(...state.photos.map((photo) => this.frame(photo, photo.id === state.photo?.id)), add);
  }

  frame(photo, current) {
    const box = document.createElement("div");
    box.className = "frame";
    const button = document.createElement("button");
    button.setAttribute("aria-label", text.photoOf(photo.name));
    button.title = photo.name;
    if (current) button.setAttribute("aria-current", "true");
    button.onclick = () => this.app.send("show", { photo: photo.id });
    const image = document.createElement("img");
    image.src = `/api/thumbnail/${photo.thumbnail}`;
    image.alt = "";
    button.append(image);
    const off = document.createElement("button");
    off.className = "off";
    off.append(icon("close"));
    off.setAttribute("aria-label", text.remove(photo.name));
    off.onclick = () => this.app.send("close", { photo: photo.id });
    box.append(button, off);
    if (photo.faces.some((face) => face.edited)) box.append(Object.assign(document.createElement("i"), { className: "dot" }));
    return box;
  }

  step(step) {
    // Figures of a drag that goes on, for the drawer.
    if (!step) return;
    if (step.index <= 1) this.losses = [];
    if (step.loss !== null) this.losses.push(step.loss);
    $("d-steps").textContent = `${step.index} / ${step.total}`;
    $("d-left").textContent = step.left.map((v) => (v === null ? "–" : v.toFixed(1))).join("  ");
    if ($("details").open) this.spark();
  }

  spark() {
    const canvas = $("spark"), c = canvas.getContext("2d"), values = this.losses.slice(-240);
    c.clearRect(0, 0, canvas.width, canvas.height);
    if (values.length < 2) return;
    const most = Math.max(...values), least = Math.min(...values);
    c.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
    c.lineWidth = 3;
    c.lineJoin = "round";
    c.beginPath();
    values.forEach((value, i) => {
      const x = 6 + (i / (values.length - 1)) * (canvas.width - 12);
      const y = 8 + (1 - (value - least) / (most - least || 1)) * (canvas.height - 16);
      if (i) c.lineTo(x, y);
      else c.moveTo(x, y);
    });
    c.stroke();
  }
}
