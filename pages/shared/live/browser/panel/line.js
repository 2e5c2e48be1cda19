// Line: one curve of a chart. Its trace names in `meta` the columns that it draws. Nothing else in
// this folder knows what a curve means.

import { mirrored } from "../base/theme.js";
import { plain } from "../base/words.js";

const DASHES = {
  dash: [8, 5],
  dot: [2, 4],
  dashdot: [8, 4, 2, 4],
  longdash: [16, 5],
  longdashdot: [16, 4, 2, 4],
};

/** Lengths of a dash by its name or from `2px,6px`, in pixels; empty for a solid line. */
const dashed = (name) => DASHES[name] ?? (name?.match(/\d+/g) ?? []).map(Number);

export class Line {
  constructor(trace) {
    this.trace = trace;
    this.meta = trace.meta;
    this.scale = trace.meta.scale ?? 1; // turns the stored unit into the axis's
    this.unit = trace.meta.unit ?? 1; // unit of the x axis, in the unit of its column
    this.least = trace.meta.least ?? -Infinity; // place of the first record on a logarithmic x axis
    this.theory = null; // the exact course and the residuals, see between.js
    this.clock = `${trace.meta.x}/${this.unit}`; // lines of one clock share their times
    this.seldom = Boolean(trace.connectgaps); // most records lack it; marks show what was measured
    this.strip = trace.yaxis === "y2"; // in the strip below the chart
    this.group = trace.legendgroup ?? trace.name;
    this.name = trace.name;
    this.width = trace.line?.width ?? 2;
    this.dash = dashed(trace.line?.dash);
    this.label = plain((trace.hovertemplate ?? "").split(": %{")[0]) || trace.name;
    this.forget();
  }

  /** Start again from the first record. */
  forget() {
    this.first = -1; // row of the first finite value
    this.good = -1; // row of the last one
    this.bad = -1; // row of the last value that is not finite, though its network was trained
    this.over = false; // whether its network has ended
    if (this.meta.least === "first") this.least = NaN; // not yet known
    this.pen = null; // where the canvas continues
  }

  /** Note the extent of the records from a row on, and where the line stops being finite. */
  observe(store, from, extent) {
    const y = store.column(this.meta.y);
    const clock = store.column(`${this.meta.network}.seconds`); // NaN once the network has ended
    if (Number.isNaN(this.least)) this.least = store.least(this.meta.x);
    for (let row = from; row < store.count; row++) {
      const value = y[row] * this.scale;
      if (!Number.isFinite(value)) {
        if (Number.isFinite(clock[row]) && !this.seldom) this.bad = row;
        continue;
      }
      if (this.first < 0) this.first = row;
      this.good = row;
      if (value < extent.low) extent.low = value;
      if (value > extent.high) extent.high = value;
      if (value > 0 && value < extent.positive) extent.positive = value;
    }
    this.over = !Number.isFinite(clock.at(-1));
  }

  get broken() {
    return this.bad > this.good && this.good >= 0;
  }

  /** Whether the end needs a mark: the line broke, or its network ended early. */
  get marked() {
    return !this.strip && (this.broken || (this.over && this.good >= 0));
  }

  /** The value at a record, or before it for a line that is measured seldom. */
  value(store, row) {
    const y = store.column(this.meta.y);
    let known = row;
    while (this.seldom && known > this.first && !Number.isFinite(y[known])) known--;
    return y[known] * this.scale;
  }

  /** x and y of the records up to the last finite one; of a line measured seldom, only its own. */
  points(store, from) {
    const [x, y] = [this.meta.x, this.meta.y].map((name) => store.column(name));
    if (!this.seldom) return [x.subarray(from, this.good + 1), y.subarray(from, this.good + 1)];
    const rows = [];
    for (let row = from; row <= this.good; row++) if (Number.isFinite(y[row])) rows.push(row);
    return [rows.map((row) => x[row]), rows.map((row) => y[row])];
  }

  /** The point of the last finite record. */
  end(store) {
    return [this.x(store, this.good), store.column(this.meta.y)[this.good] * this.scale];
  }

  /** The line's name, with the mean of the last `meta.tail` records if the chart tells that. */
  named(store) {
    const mean = this.meta.tail && store ? this.tail(store) : NaN;
    return Number.isNaN(mean) ? this.name : `${this.name} ${mean.toFixed(3)}`;
  }

  /** The mean of the last records, NaN if the line broke; tail_mean of dynamics/core/records.py. */
  tail(store) {
    if (this.good < 0 || this.broken) return NaN;
    const last = store.column(this.meta.y).slice(0, this.good + 1).slice(-this.meta.tail);
    return last.reduce((sum, value) => sum + value, 0) / last.length;
  }

  /** The place of a record on the x axis. */
  x(store, row) {
    return this.place(store.column(this.meta.x)[row]);
  }

  /** The place of a value of the x column on the x axis. */
  place(value) {
    return Math.max(value / this.unit, this.least);
  }

  color(dark) {
    const color = this.trace.line?.color;
    return dark ? mirrored(color) : color;
  }
}
