// Store: all received records in one Float32Array, column after column.

import { firstAt } from "../base/thin.js";

export class Store {
  constructor(names) {
    this.names = names;
    this.places = new Map(names.map((name, place) => [name, place]));
    this.room = 0; // rows that fit into the data
    this.data = new Float32Array(0);
    this.age = 0; // increases whenever all rows are replaced
    this.clear();
  }

  clear() {
    this.count = 0; // stored rows; fewer than the records that they stand for if some were skipped
    this.position = 0; // records that the rows stand for
    this.age++;
  }

  /** Take a binary frame (see stream.py); returns false if it does not follow the stored rows. */
  take(buffer) {
    const [position, count, upto] = new Uint32Array(buffer, 0, 3);
    if (position === 0) this.clear();
    else if (position !== this.position) return false;
    const rows = new Float32Array(buffer, 12);
    const width = this.names.length;
    if (this.count + count > this.room) this.grow(this.count + count);
    for (let column = 0; column < width; column++) {
      let place = column * this.room + this.count;
      for (let at = column; at < rows.length; at += width) this.data[place++] = rows[at];
    }
    this.count += count;
    this.position = upto;
    return true;
  }

  grow(needed) {
    const room = Math.max(256, 2 * this.room, needed);
    const data = new Float32Array(room * this.names.length);
    this.names.forEach((name, place) => data.set(this.column(name), place * room));
    this.room = room;
    this.data = data;
  }

  column(name) {
    const place = this.places.get(name);
    if (place === undefined) return new Float32Array(this.count).fill(NaN);
    return this.data.subarray(place * this.room, place * this.room + this.count);
  }

  /**
   * The value of a clock's column at a step: linear between two records, beyond the last one at the
   * network's average pace. `along` in dynamics/draw/time_axis.py does the same for files.
   */
  timeOf(step, name) {
    const steps = this.column("step");
    const times = this.column(name);
    const last = this.lastRow(times);
    if (last < 1) return NaN;
    if (step > steps[last]) {
      const first = times.findIndex(Number.isFinite);
      const pace = (times[last] - times[first]) / Math.max(steps[last] - steps[first], 1);
      return times[last] + pace * (step - steps[last]);
    }
    const after = Math.max(firstAt(steps, step), 1);
    const share = (step - steps[after - 1]) / (steps[after] - steps[after - 1]);
    return times[after - 1] + share * (times[after] - times[after - 1]);
  }

  /** The first positive value of a column; NaN before it has one. */
  least(name) {
    return this.column(name).find((value) => value > 0) ?? NaN;
  }

  /** The row of a column's last finite value. */
  lastRow(column) {
    let row = column.length - 1;
    while (row > 0 && !Number.isFinite(column[row])) row--;
    return row;
  }

  last(name) {
    return this.column(name).at(-1) ?? NaN;
  }

  /** The last finite value of a clock's column, whose network may have ended early. */
  end(name) {
    const column = this.column(name);
    return column[this.lastRow(column)] ?? 0;
  }
}
