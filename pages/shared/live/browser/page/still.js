// Still: one chart that no run draws, on the axes and in the colours of the live charts.

import { make, sizeOf } from "../base/dom.js";
import { loadPlotly } from "../base/library.js";
import { mirrored, readTheme, toned } from "../base/theme.js";
import { axis } from "../panel/figure.js";

const THEME_PAUSE = 300; // ms that Streamlit takes to change its theme
const stills = new WeakMap(); // the chart's element by Streamlit's

/** Streamlit calls this when the chart appears, and after each run of the script. */
export function mount({ data, parentElement }) {
  if (!stills.has(parentElement)) {
    const plot = make("div", "dln-still", { role: "img", "aria-label": data.words });
    parentElement.append(plot);
    stills.set(parentElement, plot);
  }
  const plot = stills.get(parentElement);
  plot.setAttribute("aria-label", data.words);
  const draw = () => show(plot, JSON.parse(data.figure), data.plotly);
  draw();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const later = () => setTimeout(draw, THEME_PAUSE);
  dark.addEventListener("change", later);
  const sizes = new ResizeObserver(() => window.Plotly && plot._fullLayout && draw());
  sizes.observe(plot);
  return () => {
    dark.removeEventListener("change", later);
    sizes.disconnect();
  };
}

async function show(plot, { data, layout }, address) {
  const Plotly = await loadPlotly(address);
  if (!plot.isConnected) return;
  const theme = toned(readTheme(plot));
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
