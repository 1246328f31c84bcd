// Everything by keyboard: tools, history, zoom, and a cross on the photo that grabs the face.

export function keys(app) {
  const tools = { v: "drag", p: "points", m: "mask", h: "pan" };
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || typing(event.target)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") take(event, () => app.send(event.shiftKey ? "redo" : "undo"));
      else if (key === "y") take(event, () => app.send("redo"));
      else if (key === "e" || key === "s") take(event, () => app.dialogs.open());
      else if (key === "o") take(event, () => document.getElementById("file").click());
      return;
    }
    if (event.altKey) return;
    const onStage = document.activeElement === app.stage;
    if (onStage && cross(app, event, key)) return;
    if (key in tools) take(event, () => app.choose(tools[key]));
    else if (key === "b" && !event.repeat) take(event, () => app.compare(true));
    else if (key === "s") take(event, () => app.split());
    else if (key === "l") take(event, () => app.snap());
    else if (key === "+" || key === "=") take(event, () => app.view.zoomBy(1.25));
    else if (key === "-") take(event, () => app.view.zoomBy(0.8));
    else if (key === "0") take(event, () => app.view.fit());
    else if (key === "1") take(event, () => app.view.real());
    else if (key === "[" || key === "]") take(event, () => app.brush(key === "]" ? 1.2 : 1 / 1.2));
    else if (key === "Delete" || key === "Backspace") take(event, () => app.drop());
    else if (key === "Escape") take(event, () => app.stop());
    else if (key === " " && (onStage || document.activeElement === document.body)) take(event, () => (app.tools.space = true));
  });
  document.addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "b") app.compare(false);
    if (event.key === " ") app.tools.space = false;
  });
  window.addEventListener("blur", () => {
    app.compare(false);
    app.tools.space = false;
  });
}

function take(event, action) {
  event.preventDefault();
  action();
}

function typing(target) {
  return target.matches?.("input:not([type=range]):not([type=checkbox]), select, textarea") ?? false;
}

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function cross(app, event, key) {
  // The cross on the photo, and what it holds.
  const { overlay, state, view } = app;
  if (!state.photo) return false;
  const start = () => {
    const corners = state.photo.faces[state.face ?? 0]?.corners ?? [[0, 0], [state.photo.width, state.photo.height]];
    return [0, 1].map((axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);
  };
  if (key in WAYS) {
    const far = (event.shiftKey ? 10 : 1) * Math.max(1, 1 / view.scale);
    const [x, y] = overlay.cross ?? start();
    overlay.cross = [x + WAYS[key][0] * far, y + WAYS[key][1] * far];
    if (app.grip) app.pullTo(overlay.cross);
  } else if (key === "Enter") {
    overlay.cross ??= start();
    const face = app.tools.faceAt(overlay.cross);
    if (app.grip) app.letGo();
    else if (face !== null && face !== state.face) app.send("choose", { photo: state.photo.id, face });
    else if (app.tool === "points" || event.shiftKey) app.point(overlay.cross);
    else if (face !== null) app.grab(overlay.cross);
  } else return false;
  event.preventDefault();
  overlay.draw();
  return true;
}
