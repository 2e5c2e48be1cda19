// Ranges: axes that hold all records. While a run is live they only grow, and by leaps, so that the
// chart stands still most of the time.

const ROUND = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The next round number at or above a positive one. */
export function roundUp(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return (ROUND.find((step) => step * unit >= value * (1 - 1e-9)) ?? 10) * unit;
}

/**
 * The range of an x axis that ended at `before` and must hold `reached`. It ends at 1, ½, ¼, … of
 * `total`, or at a round number if `total` is unknown.
 */
function growX(before, reached, total) {
  if (reached <= before) return [0, before || 1];
  if (!total) return [0, Math.max(before, roundUp(reached * 1.3))];
  let end = total;
  while (end / 2 >= Math.max(reached, total / 32)) end /= 2;
  return [0, end];
}

/** The range of a panel's x axis: all of a run that rests; for a live run, it grows by leaps. */
export function rangeX({ view, run, lines, range, logX }) {
  const { reach } = view;
  const total = lines[0]?.clock === "step/1" ? run.config?.steps : undefined;
  if (logX) return growLogX(range.x?.[1], view, run.live, total);
  return run.live ? growX(range.x?.[1] ?? 0, reach, total) : [0, reach || 1];
}

/** The range of a logarithmic x axis, from the first place at which a record is drawn. */
function growLogX(before, { reach, least }, live, total) {
  const low = Math.log10(least);
  let high = Math.log10(Math.max((live && total) || reach, 10 * least));
  if (live && !total) high = before >= high ? before : Math.log10(roundUp(1.3 * 10 ** high));
  return [low, high];
}

/** The range of the y axis. `goals` are values that the figure draws and the curves approach. */
export function growY(before, extent, goals, log, tozero) {
  if (log) return growLog(before ?? [Infinity, -Infinity], extent, goals);
  return growLinear(before ?? [0, 0], extent, goals, tozero);
}

function growLog(before, { high, positive }, goals) {
  if (!(positive < Infinity)) return [-3, 1];
  const least = Math.log10(positive);
  const most = Math.log10(Math.max(high, ...goals));
  // The axis ends at whole decades, except for a curve that only touches a decade's edge.
  const bottom = Math.ceil(least) - least < 0.1 ? Math.ceil(least) - 0.2 : Math.floor(least);
  const top = most - Math.floor(most) < 0.1 ? Math.floor(most) + 0.2 : Math.ceil(most);
  return [Math.min(before[0], bottom), Math.max(before[1], top)];
}

function growLinear(before, { low, high }, goals, tozero) {
  if (!(high > -Infinity)) return [0, 1];
  const goal = Math.max(...goals);
  const most = Math.max(high, goal);
  const near = high <= goal * 1.03;
  let top = 0;
  if (near) top = most * 1.06;
  else if (most > 0) top = roundUp(most * 1.04);
  const above = tozero || low < most / 2 ? 0 : low;
  const bottom = low < 0 ? -roundUp(-low * 1.05) : above;
  return [Math.min(before[0], bottom), most > before[1] ? top : before[1]];
}

/** The distance between two ticks of a low strip, in decades: three ticks at most. */
export const halves = ([low, high]) => Math.max(1, Math.ceil((high - low) / 2));

/** Decades between two ticks of a logarithmic axis; undefined for Plotly's own choice. */
export function decades([low, high]) {
  return high - low > 1 ? Math.max(1, Math.ceil((high - low) / 6)) : undefined;
}
