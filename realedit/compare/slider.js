
for (const frame of document.querySelectorAll(".frame")) {
  const knob = frame.querySelector(".knob");
  const show = (share) => {
    const at = Math.min(100, Math.max(0, share));
    frame.style.setProperty("--at", at + "%");
    knob.setAttribute("aria-valuenow", Math.round(at));
  };
  const follow = (event) => {
    const box = frame.getBoundingClientRect();
    show((100 * (event.clientX - box.left)) / box.width);
  };
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    frame.setPointerCapture(event.pointerId);
    knob.focus({ preventScroll: true });
    follow(event);
    event.preventDefault();
  });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) follow(event);
  });
  knob.addEventListener("keydown", (event) => {
    const now = Number(knob.getAttribute("aria-valuenow"));
    const to = {
      ArrowLeft: now - 2, ArrowDown: now - 2, ArrowRight: now + 2, ArrowUp: now + 2,
      PageDown: now - 10, PageUp: now + 10, Home: 0, End: 100,
    }[event.key];
    if (to === undefined) return;
    show(to);
    event.preventDefault();
  });
}
