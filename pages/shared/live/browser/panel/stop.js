// Stop: the record at which a network's validation error was least. `least` in
// dynamics/findings/validation.py finds the same.

/** The first row of the least value; −1 without one. */
export function least(values) {
  let lowest = -1;
  for (const [row, value] of values.entries()) {
    if (Number.isFinite(value) && !(value >= values[lowest])) lowest = row;
  }
  return lowest;
}

/** A place and a label for each visible line of a panel whose network has a validation part. */
export function stops(panel) {
  const { store } = panel.run;
  const lines = panel.lines.filter((line) => line.meta.stop && !panel.isHidden(line));
  return lines.flatMap((line) => {
    const row = least(store.column(line.meta.stop));
    if (row < 0) return [];
    const step = Math.round(store.column("step")[row]).toLocaleString("en");
    const text = `${line.name}: validation stops it at step ${step}`;
    return [{ row, x: line.x(store, row), y: store.column(line.meta.y)[row] * line.scale, text }];
  });
}
