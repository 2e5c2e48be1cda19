// Changes: a mark across the chart, with words, for each setting that changed during a run. For
// files, `marked` in dynamics/draw/chart.py does the same.

/** Shapes and annotations for a panel's layout, one for each clock that has reached the change. */
export function changes(panel, theme, [from, to]) {
  const { figure, lines, run, logX } = panel;
  const clocks = new Map(lines.map((line) => [line.clock, line]));
  const marks = [];
  for (const [step, words] of figure.layout.meta?.changes ?? []) {
    for (const line of clocks.values()) {
      const x = placed(line, run.store, step);
      if (Number.isFinite(x)) marks.push({ x, words });
    }
  }
  const paper = { yref: "paper", layer: "below" };
  const look = { color: theme.soft, width: 1, dash: "5px,3px" };
  const shapes = marks.map(({ x }) => ({
    type: "line", x0: x, x1: x, y0: 0, y1: 1, line: look, ...paper,
  }));
  const annotations = marks.map(({ x, words }) => {
    const at = logX ? Math.log10(x) : x;
    const late = at > from + 0.7 * (to - from);
    const side = late ? { xanchor: "right", xshift: -3 } : { xanchor: "left", xshift: 3 };
    return {
      x: at,
      y: 1,
      yref: "paper",
      yanchor: "bottom",
      text: words,
      showarrow: false,
      font: { size: 11, color: theme.soft },
      bgcolor: theme.paper,
      ...side,
    };
  });
  return { shapes, annotations };
}

/** The place of a step on a line's clock; NaN before the run has reached the step. */
function placed(line, store, step) {
  if (line.meta.x === "step") return line.place(step);
  if (!store || store.end("step") < step) return NaN;
  return line.place(store.timeOf(step, line.meta.x));
}
