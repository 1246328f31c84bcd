// What opens over the page: exports, the keys, and the curtain while another tab edits.

import { $, segments, toast } from "./panels.js";
import { text } from "./text.js";

const STILL = [".png", ".jpg", ".webp"];
const MOVING = [".mp4", ".webp", ".gif"];

export class Dialogs {
  constructor(app) {
    this.app = app;
    this.kind = "photo";
    $("export").onclick = () => this.open();
    $("export-style").onchange = () => this.formats();
    $("export-dialog").addEventListener("close", () => {
      if ($("export-dialog").returnValue === "default") this.save();
    });
    $("help").onclick = () => $("help-dialog").showModal();
    for (const [key, words] of text.keys) {
      $("help-list").append(Object.assign(document.createElement("dt"), { textContent: key }), Object.assign(document.createElement("dd"), { textContent: words }));
    }
    for (const [value, label] of Object.entries(text.strips)) $("export-strip").append(new Option(label, value));
  }

  open() {
    if (!this.app.state.photo) return;
    $("export-dialog").returnValue = "";
    this.draw();
    $("export-dialog").showModal();
  }

  draw() {
    segments($("export-kinds"), text.kinds, this.kind, (kind) => {
      this.kind = kind;
      this.draw();
    });
    const edited = this.app.state.photo.faces.some((face) => face.edited);
    for (const button of $("export-kinds").children) button.disabled = !edited && button.dataset.value !== "photo";
    if (!edited) this.kind = "photo";
    $("export-note").textContent = text.kindNotes[this.kind];
    $("export-style").replaceChildren(...this.app.styles.map((style) => new Option(style, style)));
    $("export-style-box").hidden = this.kind !== "compare";
    $("export-strip-box").hidden = $("export-label-box").hidden = this.kind !== "photo";
    this.formats();
  }

  formats() {
    const style = $("export-style").value;
    let names = [];
    if (this.kind === "photo") names = this.photoFormats();
    else if (this.kind === "timelapse") names = MOVING;
    else if (this.kind === "compare") names = style === "slider" ? [".html"] : ["wipe", "blink"].includes(style) ? MOVING : STILL;
    $("export-format-box").hidden = !names.length;
    $("export-format").replaceChildren(...names.map((name) => new Option(name.slice(1).toUpperCase(), name)));
  }

  photoFormats() {
    // The photo's own first.
    const names = [".jpg", ".png", ".tif", ".webp", ".heic", ".avif"].filter((name) => this.app.extensions.includes(name));
    const ending = this.app.state.photo.name.toLowerCase().match(/\.\w+$/)?.[0] ?? ".jpg";
    const own = { ".jpeg": ".jpg", ".tiff": ".tif", ".heif": ".heic" }[ending] ?? ending;
    return names.sort((a, b) => (b === own) - (a === own));
  }

  async save() {
    const { photo } = this.app.state;
    const asked = { photo: photo.id, kind: this.kind, extension: $("export-format").value || ".jpg" };
    if (this.kind === "compare") asked.style = $("export-style").value;
    if (this.kind === "photo") Object.assign(asked, { strip: $("export-strip").value, label: $("export-label").checked });
    document.body.style.cursor = "progress";
    try {
      const answer = await fetch("/api/export", { method: "POST", body: JSON.stringify(asked) });
      if (!answer.ok) throw new Error((await answer.text()).trim());
      const said = decodeURIComponent(answer.headers.get("x-warnings") ?? "");
      for (const line of said.split("\n").filter(Boolean)) toast(line, "warning");
      if (answer.headers.get("content-type").startsWith("application/json")) {
        toast(text.written((await answer.json()).written, this.app.folder));
      } else {
        const name = decodeURIComponent(answer.headers.get("content-disposition").split("''")[1]);
        download(await answer.blob(), name);
        toast(text.saved(name));
      }
    } catch (error) {
      toast(error.message, "error");
    } finally {
      document.body.style.cursor = "";
    }
  }

  curtain(title, words) {
    $("curtain").hidden = !title;
    $("curtain-title").textContent = title ?? "";
    $("curtain-text").textContent = words ?? "";
  }
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
