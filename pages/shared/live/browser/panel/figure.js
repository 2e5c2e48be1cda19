// Figure: a panel's chart as Plotly takes it.

import { sizeOf } from "../base/dom.js";
import { FAULT, OPACITY, RING, mirrored } from "../base/theme.js";
import { firstAt, thin } from "../base/thin.js";
import { bests } from "./best.js";
import { between } from "./between.js";
import { changes } from "./changes.js";
import { decades, halves } from "./ranges.js";
import { stops } from "./stop.js";

const NARROW = 420; // pixels of a chart with room for few numbers below it
const LINES = 54; // pixels above and below the axes
const LETTER = 0.5; // width of a letter, in sizes of type
const POINTS = 600; // about as many points of a line are drawn; on the canvas, half are enough

/** The group that one entry of the legend shows and hides. */
export const groupOf = ({ legendgroup, name }) => legendgroup ?? name;

/** The traces and the layout of a panel's chart. */
export function onPage(panel) {
  const theme = panel.view.theme;
  const ranges = panel.ranges();
  return [traces(panel, theme, shown(panel, ranges.x)), layoutOf(panel, theme, ranges)];
}

function layoutOf(panel, theme, { x, y, strip }) {
  const given = panel.figure.layout;
  const own = panel.isLog === panel.logIsDefault && !panel.held.y; // only then its ticks fit
  const yTicks = own ? {} : { tickvals: undefined, ticktext: undefined };
  // To measure labels, Plotly draws twice, so it measures only labels that may not fit the margin.
  const usual = panel.isLog || (y[1] >= 0.01 && y[1] < 1000);
  yTicks.automargin = Boolean(panel.held.y) || !usual;
  if (panel.isLog) Object.assign(yTicks, { dtick: decades(y), nticks: undefined });
  const xTicks = { exponentformat: "SI" }; // 20,000 and 100k
  if (panel.plot.clientWidth < NARROW) xTicks.nticks = 4; // more would be turned aside
  if (panel.logX) Object.assign(xTicks, { dtick: decades(x), nticks: undefined });
  const text = { color: theme.ink, family: theme.font };
  const { shapes, annotations } = changes(panel, theme, x);
  return {
    ...given,
    title: undefined,
    showlegend: false,
    shapes: [...(given.shapes ?? []).filter(({ name }) => !panel.hidden.has(name)), ...shapes],
    annotations: [...(given.annotations ?? []), ...annotations],
    xaxis: { ...axis(given.xaxis, theme, x, panel.logX ? "log" : "linear"), ...xTicks },
    yaxis: sized({ ...axis(given.yaxis, theme, y, panel.isLog ? "log" : "linear"), ...yTicks }, panel),
    ...(strip && { yaxis2: { ...axis(given.yaxis2, theme, strip, "log"), dtick: halves(strip) } }),
    ...sizeOf(panel.plot),
    margin: { l: 58, r: 22, t: given.meta?.changes ? 24 : 10, b: 44 },
    font: { ...given.font, ...text },
    hoverlabel: { bgcolor: theme.paper, font: { ...text, size: 13 } },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
  };
}

/** One of Plotly's axes in the page's look. */
export function axis(given, theme, range, type) {
  return {
    ...given,
    type,
    range: [...range],
    autorange: false,
    automargin: false,
    nticks: 7,
    separatethousands: true,
    minexponent: 5,
    gridcolor: theme.grid,
    zerolinecolor: theme.grid,
    linecolor: theme.grid,
    color: theme.soft,
    tickfont: { size: type === "log" ? 10 : 12 }, // Plotly enlarges powers of ten by a quarter
    title: { ...given?.title, standoff: 10, font: { size: 13, color: theme.ink } },
  };
}

/** An upright axis whose title is small enough for a low chart, if it can be read then. */
function sized({ title, domain = [0, 1], ...rest }, { plot }) {
  const letters = (title.text ?? "").replace(/<[^>]*>/g, "").length;
  const room = (plot.clientHeight - LINES) * (domain[1] - domain[0]);
  const size = Math.max(9, Math.min(title.font.size, room / (LETTER * letters || 1)));
  return { ...rest, domain, title: { ...title, font: { ...title.font, size } } };
}

/** The visible part of the x axis, in its unit. */
const shown = (panel, range) => (panel.logX ? range.map((end) => 10 ** end) : range);

function traces(panel, theme, range) {
  const lines = panel.lines.map((line, place) => ({
    ...line.trace,
    ...points(line, panel, range),
    uid: `dln${place}`,
    visible: !panel.isHidden(line),
    line: { ...line.trace.line, color: line.color(theme.dark) },
  }));
  const theory = panel.fixed.map((trace, place) => ({
    ...expected(trace, panel, theme),
    uid: `theory${place}`,
    visible: !panel.hidden.has(groupOf(trace)),
  }));
  const marked = [rings(panel, theme), marks(panel, theme)];
  return [...theory, ...faint(panel, theme, range), ...lines, ...marked];
}

/** A trace of theory, in the colour of text, at the times when the run reached its steps. */
function expected(trace, { run: { store }, lines }, theme) {
  const clock = trace.meta?.x;
  const timed = store && clock && clock !== "step";
  const own = timed && lines.find(({ meta }) => meta.x === clock);
  const place = (step) => (own ?? lines[0]).place(store.timeOf(step, clock));
  const x = timed ? trace.x.map(place) : trace.x;
  const { line, marker } = trace;
  if (marker) {
    const color = theme.dark ? mirrored(marker.color) : marker.color;
    return { ...trace, x, marker: { ...marker, color, line: { width: 1, color: theme.ink } } };
  }
  return { ...trace, x, line: { ...line, color: theme.ink } };
}

/** The lines of the parent run, from the record at which the two runs part. */
function faint(panel, theme, range) {
  const run = panel.view.origin;
  return (run?.lines(panel) ?? []).map((line, place) => ({
    ...line.trace,
    ...points(line, { run, logX: panel.logX }, range, run.first),
    uid: `beside${place}`,
    visible: !panel.isHidden(line),
    showlegend: false,
    opacity: OPACITY,
    line: { ...line.trace.line, width: 1.5, color: line.color(theme.dark) },
    hovertemplate: (line.trace.hovertemplate ?? "").replace(":", ", in the parent run:"),
  }));
}

/** The points of a line inside the visible part of the x axis. */
function points(line, { run: { store }, logX }, [from, to], first = 0) {
  if (!store || line.good < first) return { x: [null], y: [null] };
  const [x, y] = line.points(store, first);
  const start = Math.max(firstAt(x, from * line.unit) - 1, 0);
  const stop = Math.min(firstAt(x, to * line.unit) + 2, x.length);
  const rows = thin(y, start, stop, POINTS, logX);
  const drawn = { x: [], y: [] };
  const add = (place, value) => (drawn.x.push(place), drawn.y.push(value));
  rows.forEach((row, at) => {
    if (at) for (const point of between(line, store, first + rows[at - 1], first + row)) add(...point);
    add(line.place(x[row]), y[row] * line.scale);
  });
  return drawn;
}

/** Rings where two modes cross, and at the best moment of a network that got worse or
 * that validation would stop. */
function rings(panel, theme) {
  const { run, crossings } = panel;
  const found = run.store ? [...crossings.shown(panel), ...bests(panel), ...stops(panel)] : [];
  return {
    type: "scatter",
    mode: "markers",
    uid: "dlncrossings",
    name: "crossings",
    visible: !panel.hidden.has("crossings"),
    x: found.length ? found.map(({ x }) => x) : [null],
    y: found.length ? found.map(({ y }) => y) : [null],
    marker: { ...RING, color: theme.ink },
    text: found.map(({ text }) => text),
    hovertemplate: "%{text}<extra></extra>",
  };
}

/** A cross where a line stopped being finite, a dot where its network ended early. */
function marks(panel, theme) {
  const ends = panel.lines.filter((line) => line.marked && !panel.isHidden(line));
  const points = ends.map((line) => line.end(panel.run.store));
  return {
    type: "scatter",
    mode: "markers",
    uid: "dlnmarks",
    showlegend: false,
    cliponaxis: false,
    x: points.length ? points.map(([x]) => x) : [null],
    y: points.length ? points.map(([, y]) => y) : [null],
    marker: {
      symbol: ends.map(({ broken }) => (broken ? "x" : "circle")),
      size: ends.map(({ broken }) => (broken ? 9 : 7)),
      color: ends.map((line) => (line.broken ? FAULT : line.color(theme.dark))),
    },
    text: ends.map(({ broken, label }) => `${label}: ${broken ? "not finite from here" : "ended"}`),
    hovertemplate: "%{text}<extra></extra>",
  };
}
