// Changes: what was set anew while the run went on, as a mark across a chart with its words.

/** Shapes and notes of a panel's layout, at every clock of its lines that has come so far. */
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
  const drawn = { color: theme.soft, width: 1, dash: "5px,3px" };
  const shapes = marks.map(({ x }) => ({
    type: "line", x0: x, x1: x, y0: 0, y1: 1, line: drawn, ...paper,
  }));
  const annotations = marks.map(({ x, words }) => {
    const at = logX ? Math.log10(x) : x;
    const late = at > from + 0.7 * (to - from);
    const side = late ? { xanchor: "right", xshift: -3 } : { xanchor: "left", xshift: 3 };
    const [font, bgcolor] = [{ size: 11, color: theme.soft }, theme.paper];
    return { x: at, y: 1, yref: "paper", yanchor: "bottom", text: words, showarrow: false, font, bgcolor, ...side };
  });
  return { shapes, annotations };
}

/** Where a step is on a line's clock; NaN while the run has not come to it. */
function placed(line, store, step) {
  if (line.meta.x === "step") return line.place(step);
  if (!store || store.end("step") < step) return NaN;
  return line.place(store.timeOf(step, line.meta.x));
}
