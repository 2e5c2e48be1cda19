// Still: one chart that no run draws, on the axes and in the colours of the live charts.

import { make, sizeOf } from "../base/dom.js";
import { loadPlotly } from "../base/library.js";
import { mirrored, readTheme, toned } from "../base/theme.js";
import { axis } from "../panel/figure.js";

const THEME_PAUSE = 300; // ms that Streamlit takes to change its theme
const PATIENCE = 200; // ms after which a busy page draws all the same
// Safari has no idle callbacks; an answer takes about so long there.
const { cancelIdleCallback: cancel = clearTimeout } = window;
const { requestIdleCallback: whenIdle = (draw) => setTimeout(draw, PATIENCE) } = window;
const stills = new WeakMap(); // a Still by Streamlit's element

/** Streamlit calls this when the chart appears, and after each run of the script. */
export function mount({ data, parentElement }) {
  if (!stills.has(parentElement)) stills.set(parentElement, new Still(parentElement));
  const still = stills.get(parentElement);
  still.update(data);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const later = () => setTimeout(() => still.due(), THEME_PAUSE);
  dark.addEventListener("change", later);
  return () => dark.removeEventListener("change", later);
}

class Still {
  constructor(parent) {
    this.plot = make("div", "dln-still", { role: "img" });
    parent.append(this.plot);
    new ResizeObserver(() => this.due()).observe(this.plot);
  }

  update(data) {
    this.plot.setAttribute("aria-label", data.words);
    this.data = data;
    this.due();
  }

  /** Draw once the rest of the page has its answer: a slider that moves on waits for no chart. */
  due() {
    cancel(this.asked);
    this.asked = whenIdle(() => this.draw(), { timeout: PATIENCE });
  }

  async draw() {
    const { figure, plotly } = this.data;
    const Plotly = await loadPlotly(plotly);
    const { plot } = this;
    const theme = readTheme(plot);
    const shown = [figure, theme.key, plot.clientWidth, plot.clientHeight].join();
    if (!plot.isConnected || shown === this.shown) return;
    this.shown = shown;
    if (theme.key !== this.theme?.key) this.theme = toned(theme);
    await show(Plotly, plot, JSON.parse(figure), this.theme);
  }
}

async function show(Plotly, plot, { data, layout }, theme) {
  const text = { color: theme.ink, family: theme.font };
  const range = layout.xaxis.range;
  const top = Math.max(0, ...data.flatMap(({ y }) => y));
  const traces = data.map((trace) => ({
    ...trace,
    line: { ...trace.line, color: theme.dark ? mirrored(trace.line.color) : trace.line.color },
  }));
  const shape = {
    ...layout,
    title: undefined,
    xaxis: { ...axis(layout.xaxis, theme, range, "linear"), exponentformat: "SI" },
    yaxis: axis(layout.yaxis, theme, [0, 1.06 * top || 1], "linear"),
    ...sizeOf(plot),
    margin: { l: 58, r: 22, t: 30, b: 44 },
    font: text,
    hoverlabel: { bgcolor: theme.paper, font: { ...text, size: 13 } },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    hovermode: "closest",
    dragmode: false,
  };
  await Plotly.react(plot, traces, shape, { displayModeBar: false, responsive: false });
}
