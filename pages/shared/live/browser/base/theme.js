// Theme: the page's colours as Plotly and the canvas need them, and those of a printed file.

import { make } from "./dom.js";

export const FAULT = "#d1453b";
export const FAINT = 0.16; // opacity of a line of another mode than the one lit
export const OPACITY = 0.38; // of a line of the run that this one goes on from
export const RING = { symbol: "circle-open", size: 10, line: { width: 1.5 } }; // of a crossing

/** What Streamlit's theme says around an element; `key` tells one theme from another. */
export function readTheme(element) {
  const style = getComputedStyle(element);
  const read = (name, other) => style.getPropertyValue(`--st-${name}`).trim() || other;
  const ink = read("text-color", "#31333f");
  const paper = read("background-color", "#ffffff");
  const font = read("font", "sans-serif");
  return { ink, paper, font, key: [ink, paper, font].join() };
}

/** A theme with the tones that follow from it; they cost a canvas, so only when it is new. */
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

/** A colour for a dark page: what is faint on white, light, must be dark there; hue stays. */
export function mirrored(color) {
  const digits = /^#([0-9a-f]{6})$/i.exec(color ?? "");
  if (!digits) return color;
  const parts = [16, 8, 0].map((shift) => (parseInt(digits[1], 16) >> shift) & 255);
  const light = (Math.max(...parts) + Math.min(...parts)) / 510;
  const shift = 255 * (Math.min(Math.max(1.1 - light, 0.3), 0.7) - light);
  return `rgb(${parts.map((part) => Math.round(Math.min(Math.max(part + shift, 0), 255)))})`;
}
