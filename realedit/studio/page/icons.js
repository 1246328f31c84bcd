// Line icons of 24 units, drawn with the text's own colour.

const paths = {
  open: "M4 7a2 2 0 0 1 2-2h4l2 2h6a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2z",
  undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
  reset: "M4 12a8 8 0 1 0 2.6-5.9M4 4v4h4",
  compare: "M12 5c5 0 8.5 4 10 7-1.5 3-5 7-10 7S3.500 15 2 12c1.500-3 5-7 10-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  split: "M12 3v18M5 6h4M5 12h4M5 18h4M15 6h4v12h-4",
  minus: "M5 12h14",
  plus: "M12 5v14M5 12h14",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  help: "M9.500 9a2.500 2.500 0 1 1 3.600 2.200c-.7.4-1.100.9-1.100 1.800M12 16.500v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  drag: "M6 3l12 8-5.500 1.200L10 18z",
  points: "M7 17 17 7M12 7h5v5M7 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  brush: "M14 4l6 6-8 8-6-6zM6 12l-2 6 2 2 6-2",
  hand: "M8 12V6a1.500 1.500 0 0 1 3 0v5V4.500a1.500 1.500 0 0 1 3 0V11V6a1.500 1.500 0 0 1 3 0v8a6 6 0 0 1-6 6c-3 0-4-1.500-6.500-5.500a1.500 1.500 0 0 1 2.500-1.700z",
  snap: "M6 4v8a6 6 0 0 0 12 0V4h-4v8a2 2 0 0 1-4 0V4zM6 8h4M14 8h4",
  close: "M6 6l12 12M18 6 6 18",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}

export function place(root = document) {
  for (const element of root.querySelectorAll("[data-icon]")) element.prepend(icon(element.dataset.icon));
}
