// Map: the chart of a sweep, which grows while it is trained. The cell on which the pointer rests, or
// that is clicked, is the state `cell`; a click on the cell that is chosen already is `open`.

import { make } from "../base/dom.js";
import { loadPlotly } from "../base/library.js";
import { readTheme, toned } from "../base/theme.js";

const THEME_PAUSE = 300; // ms that Streamlit takes to change its theme
const REST = 250; // ms after which a pointer rests on a cell
const NARROW = 560; // pixels below which small charts stand one below the other
const maps = new WeakMap(); // a Chart by Streamlit's element

/** Streamlit calls this when the chart appears, and whenever it has more cells. */
export function mount({ data, parentElement, setStateValue, setTriggerValue }) {
  if (!maps.has(parentElement)) maps.set(parentElement, new Chart(parentElement));
  const chart = maps.get(parentElement);
  const open = (cell) => setTriggerValue("open", cell);
  chart.update(data, (cell) => setStateValue("cell", cell), open);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const later = () => setTimeout(() => chart.draw(), THEME_PAUSE);
  dark.addEventListener("change", later);
  return () => dark.removeEventListener("change", later);
}

class Chart {
  constructor(parent) {
    this.plot = make("div", "dln-map", { role: "img" });
    parent.append(this.plot);
    this.width = 0;
    new ResizeObserver(() => this.plot.clientWidth !== this.width && this.draw()).observe(this.plot);
  }

  update(data, choose, open) {
    this.plot.setAttribute("aria-label", data.words);
    this.data = data;
    Object.assign(this, { choose, open });
    this.cell = data.cell;
    this.draw();
  }

  async draw() {
    const { wide, narrow, plotly } = this.data;
    const Plotly = await loadPlotly(plotly);
    if (!this.plot.isConnected) return;
    this.width = this.plot.clientWidth;
    const theme = toned(readTheme(this.plot));
    const { data, layout } = JSON.parse(this.width < NARROW && narrow ? narrow : wide);
    this.plot.style.height = `${layout.height}px`;
    const traces = data.map((trace) => coloured(trace, theme));
    const shapes = [...(layout.shapes ?? []), ...this.mark(traces, theme)];
    await Plotly.react(this.plot, traces, { ...inTheme(layout, theme), shapes, width: this.width }, {
      displayModeBar: false,
    });
    if (!this.heard) {
      this.plot.on("plotly_click", ({ points }) => this.clicked(cellAt(points[0], this.data.axes)));
      this.plot.on("plotly_hover", ({ points }) => this.over(cellAt(points[0], this.data.axes)));
      this.plot.on("plotly_unhover", () => clearTimeout(this.resting));
      this.heard = true;
    }
  }

  /** A pointer that rests on a cell chooses it. */
  over(cell) {
    clearTimeout(this.resting);
    if (cell && cell !== this.cell) this.resting = setTimeout(() => this.chosen(cell), REST);
  }

  clicked(cell) {
    clearTimeout(this.resting);
    if (cell && cell === this.cell) this.open(cell);
    else if (cell) this.chosen(cell);
  }

  /** Choose a cell, at once and for the page's script. */
  chosen(cell) {
    this.cell = cell;
    this.choose(cell);
    this.draw();
  }

  /** A frame around the chosen cell of a map, a line through it among lines. */
  mark(traces, theme) {
    if (!this.cell) return [];
    const [i, j = 0, part = 0] = this.cell.split(",").map(Number);
    const own = traces.find(({ meta, type }) =>
      meta?.part === part && (type === "heatmap" || meta.line === j));
    if (!own) return [];
    const place = { xref: own.xaxis ?? "x", yref: own.yaxis ?? "y" };
    const line = { color: theme.ink, width: 3 };
    if (own.type !== "heatmap") {
      const x = own.x[i];
      const whole = { ...place, yref: `${place.yref} domain` };
      return [{ type: "line", ...whole, x0: x, x1: x, y0: 0, y1: 1, line: { ...line, width: 1, dash: "dot" } }];
    }
    const cell = { type: "rect", ...place, x0: i - 0.5, x1: i + 0.5, y0: j - 0.5, y1: j + 0.5 };
    return [{ ...cell, line: { color: theme.paper, width: 6 } }, { ...cell, line }];
  }
}

/** The places of a point's cell on the axes, such as `3,0`; empty where theory is drawn. */
function cellAt({ data: { meta, type }, x, y, pointNumber }, axes) {
  if (meta?.part === undefined) return "";
  const along = type === "heatmap" ? [x, y] : [pointNumber, meta.line];
  return [...along, meta.part].slice(0, axes).join();
}

/** A trace in the page's colours: theory has that of the text, on a line of the paper's. */
function coloured(trace, theme) {
  if (trace.meta?.halo) return { ...trace, line: { ...trace.line, color: theme.paper } };
  if (trace.meta?.theory) return { ...trace, line: { ...trace.line, color: theme.ink } };
  return trace;
}

function inTheme(layout, theme) {
  const axes = Object.entries(layout).filter(([name]) => /^[xy]axis\d*$/.test(name));
  const shown = axes.map(([name, axis]) => [
    name,
    {
      ...axis,
      automargin: true,
      fixedrange: true,
      gridcolor: theme.grid,
      zerolinecolor: theme.grid,
      linecolor: theme.grid,
      color: theme.soft,
      tickangle: 0,
      title: { ...axis.title, standoff: 8, font: { size: 13, color: theme.ink } },
    },
  ]);
  return {
    ...layout,
    ...Object.fromEntries(shown),
    title: undefined,
    font: { color: theme.ink, family: theme.font },
    hoverlabel: { bgcolor: theme.paper, font: { color: theme.ink, family: theme.font, size: 13 } },
    hovermode: "closest",
    dragmode: false,
  };
}
