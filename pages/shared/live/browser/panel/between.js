// Between: lines between two sparse records, where theory has the exact course. `follow` in
// dynamics/draw/between.py does the same for files, and says why.

import { firstAt } from "../base/thin.js";

const NEAR = 1e-6; // |σ_i − theory| / s_i at both records

/** Tell each line of a panel its course and its residuals, if theory has them. */
export function follow({ lines, fixed }) {
  const key = ({ network, mode } = {}) => (network && mode ? `${network} ${mode}` : "");
  const strip = new Map(lines.filter((line) => line.strip).map(({ meta }) => [key(meta), meta.y]));
  const courses = new Map(fixed.filter(({ mode }) => mode === "lines").map((each) => [key(each.meta), each]));
  for (const line of lines) {
    const [course, residuals] = [courses.get(key(line.meta)), strip.get(key(line.meta))];
    if (key(line.meta) && course && residuals && !line.strip) line.theory = { course, residuals };
  }
}

/** Theory's points between two rows, in the units of the axes; none if the rows are not near it. */
export function between(line, store, from, to) {
  const { theory, meta } = line;
  if (!theory || to - from !== 1) return [];
  const off = store.column(theory.residuals);
  if (!(off[from] < NEAR && off[to] < NEAR)) return [];
  const { x, y } = theory.course;
  const steps = store.column("step");
  const onSteps = meta.x === "step";
  const [start, end] = [from, to].map((row) => (onSteps ? line.place(steps[row]) : steps[row]));
  const points = [];
  for (let at = firstAt(x, start); at < x.length && x[at] < end; at++) {
    if (x[at] <= start) continue;
    points.push([onSteps ? x[at] : line.place(store.timeOf(x[at], meta.x)), y[at]]);
  }
  return points;
}
