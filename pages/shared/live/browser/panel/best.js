// Best: the record at which a network's score was highest, if it fell afterwards. `best` in
// dynamics/draw/score.py finds the same.

/** The row of the highest value; −1 if the last one is about as high. */
export function best(values, fallen) {
  let highest = -1;
  let last = NaN;
  for (const [row, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    last = value;
    if (highest < 0 || value > values[highest]) highest = row;
  }
  return highest >= 0 && values[highest] - last > fallen ? highest : -1;
}

/** A place and a label for the best moment of each visible line of a panel that has one. */
export function bests(panel) {
  const { store } = panel.run;
  const lines = panel.lines.filter((line) => line.meta.fallen && !panel.isHidden(line));
  return lines.flatMap((line) => {
    const values = store.column(line.meta.y);
    const row = best(values, line.meta.fallen);
    if (row < 0) return [];
    const step = Math.round(store.column("step")[row]).toLocaleString("en");
    const text = `${line.name}: best at step ${step}`;
    return [{ row, x: line.x(store, row), y: values[row] * line.scale, text }];
  });
}
