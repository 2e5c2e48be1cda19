// Legend: what a chart's lines, marks and levels are called, with a sample of each.

import { mirrored } from "../base/theme.js";
import { groupOf } from "./figure.js";

const LEFT = 1; // ends of a sample, in pixels
const RIGHT = 25;
const MARKS = {
  "triangle-up": (color) => `<path d="M13 1l4.5 8h-9z" fill="${color}"/>`,
  "circle-open": (color) =>
    `<circle cx="13" cy="5" r="4" fill="none" stroke-width="1.5" stroke="${color}"/>`,
};

/** The entries of a panel: the names of its groups in the order of the file's legend. */
export function legend(panel) {
  const { lines, fixed, figure, view, crossings, run } = panel;
  const { theme } = view;
  const dark = theme?.dark;
  const listed = lines.filter(({ trace }) => trace.showlegend !== false).map((line) => ({
    group: line.group,
    label: line.name,
    line,
    swatch: sample(colors(line, lines, dark), line.dash),
  }));
  const theory = fixed.filter(({ name, showlegend }) => name && showlegend !== false);
  const expected = theory.map((trace) => ({
    group: groupOf(trace),
    label: trace.name,
    swatch: trace.marker
      ? drawing(mark(trace.marker, dark))
      : sample([theme?.ink], [4, 3], 1.4),
  }));
  const levels = (figure.layout.shapes ?? []).filter(({ name, showlegend }) => name && showlegend);
  const goals = levels.map(({ name }) => ({ group: name, label: name, swatch: sample(["gray"], [2, 2], 1.4) }));
  const crossed = run.store && crossings.shown(panel).length;
  const ring = { symbol: "circle-open", color: theme?.ink };
  const crossing = { group: "crossings", label: "crossings", swatch: drawing(mark(ring)) };
  return [...listed, ...unlike(expected), ...unlike(goals), ...(crossed ? [crossing] : [])];
}

const unlike = (entries) => [...new Map(entries.map((each) => [each.label, each])).values()];

/** The colour of a line; of lines that fade, the first and the last one's. */
function colors(line, lines, dark) {
  const fading = line.name.includes("(faint)");
  const group = lines.filter(({ strip, group: other }) => !strip && other === line.group);
  return [line, ...(fading ? [group.at(-1)] : [])].map((each) => each.color(dark));
}

function sample(shades, dash, width = 2.5) {
  const part = (RIGHT - LEFT) / shades.length;
  const strokes = shades.map((color, at) => `<line x1="${LEFT + at * part}" x2="${LEFT + (at + 1) * part}"
    y1="5" y2="5" stroke-width="${width}" stroke="${color}"
    stroke-dasharray="${dash.map((length) => length * 0.8)}"/>`);
  return drawing(strokes.join(""));
}

const mark = ({ symbol, color }, dark) =>
  (MARKS[symbol] ?? MARKS["circle-open"])(dark ? mirrored(color) : color);

const drawing = (inside) => `<svg width="26" height="10" aria-hidden="true">${inside}</svg>`;
