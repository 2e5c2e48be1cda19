// Theme: the page's colours as Plotly and the canvas need them. A printed file's colours are in
// dynamics/draw/look.py and dynamics/export/layout/layout.py.

import { make } from "./dom.js";

export const FAULT = "#d1453b";
export const FAINT = 0.16; // opacity of a line whose mode is not lit
export const OPACITY = 0.38; // opacity of a line of the parent run
// Mark of a crossing or a best moment; RING of dynamics/draw/look.py is the same.
export const RING = { symbol: "circle-open", size: 10, line: { width: 1.5 } };

/** Streamlit's colours and font around an element; `key` is different for different themes. */
export function readTheme(element) {
  const style = getComputedStyle(element);
  const read = (name, usual) => style.getPropertyValue(`--st-${name}`).trim() || usual;
  const ink = read("text-color", "#31333f");
  const paper = read("background-color", "#ffffff");
  const font = read("font", "sans-serif");
  return { ink, paper, font, key: [ink, paper, font].join() };
}

/** The theme with derived tones. To derive them costs a canvas: call this only for a new theme. */
export function toned(theme) {
  const [r, g, b] = rgb(theme.ink);
  const tint = (share) => `rgba(${r},${g},${b},${share})`;
  const dark = rgb(theme.paper).reduce((sum, part) => sum + part) < 384;
  return { ...theme, soft: tint(0.72), grid: tint(0.12), dark };
}

/** Red, green and blue of any colour that CSS knows. */
export function rgb(color) {
  const pen = make("canvas", "", { width: 1, height: 1 }).getContext("2d");
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** A colour of the same hue for a dark page: faint lines are light on white and dark on dark. */
export function mirrored(color) {
  const digits = /^#([0-9a-f]{6})$/i.exec(color ?? "");
  if (!digits) return color;
  const parts = [16, 8, 0].map((shift) => (parseInt(digits[1], 16) >> shift) & 255);
  const light = (Math.max(...parts) + Math.min(...parts)) / 510;
  const shift = 255 * (Math.min(Math.max(1.1 - light, 0.3), 0.7) - light);
  return `rgb(${parts.map((part) => Math.round(Math.min(Math.max(part + shift, 0), 255)))})`;
}
