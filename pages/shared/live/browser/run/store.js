// Store: all records that were received, in one Float32Array, column after column.

import { firstAt } from "../base/thin.js";

export class Store {
  constructor(names) {
    this.names = names;
    this.places = new Map(names.map((name, place) => [name, place]));
    this.room = 0; // rows that fit
    this.data = new Float32Array(0);
    this.age = 0; // goes up whenever everything is replaced
    this.clear();
  }

  clear() {
    this.count = 0; // rows that are here; fewer than the records they stand for, if thinned
    this.position = 0; // records that they stand for
    this.age++;
  }

  /** Take a binary frame (see stream.py); false if it does not follow what is here. */
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
    [this.room, this.data] = [room, data];
  }

  column(name) {
    const place = this.places.get(name);
    if (place === undefined) return new Float32Array(this.count).fill(NaN);
    return this.data.subarray(place * this.room, place * this.room + this.count);
  }

  /** When a column came to a step: between records in a line, beyond them at the pace so far. */
  timeOf(step, name) {
    const [steps, times] = [this.column("step"), this.column(name)];
    const last = this.lastRow(times);
    if (last < 1) return NaN;
    if (step > steps[last]) return times[last] * (step / steps[last]);
    const after = Math.max(firstAt(steps, step), 1);
    const share = (step - steps[after - 1]) / (steps[after] - steps[after - 1]);
    return times[after - 1] + share * (times[after] - times[after - 1]);
  }

  /** The row at which a column ends. */
  lastRow(column) {
    let row = column.length - 1;
    while (row > 0 && !Number.isFinite(column[row])) row--;
    return row;
  }

  last(name) {
    return this.column(name).at(-1) ?? NaN;
  }

  /** The greatest of a column's last values: it may end early, but it never falls. */
  end(name) {
    const column = this.column(name);
    return column[this.lastRow(column)] ?? 0;
  }
}
