// Matrix: a matrix with names of its rows and columns at the cursor, out of the run's records. The
// layout's `meta` has the names, `classes`, and the `words`. With `mistakes`, all entries off the
// diagonal are shown as negative numbers, so that they have a colour of their own.

import { make, write } from "../base/dom.js";
import { whole } from "../base/words.js";
import { Tiles } from "./tiles.js";

export class Matrix extends Tiles {
  describe(figure) {
    const { classes, words, mistakes } = figure.layout.meta;
    Object.assign(this, { classes, words, mistakes, called: [classes, classes] });
    super.describe(figure);
    this.plot.classList.add("dln-matrices");
  }

  sizeOf() {
    return [this.classes.length, this.classes.length];
  }

  ends() {
    const [low, high] = this.words.ends;
    return [low || `−${+this.limit.toPrecision(3)}`, high || `+${+this.limit.toPrecision(3)}`];
  }

  get scaleWords() {
    return this.words.scale;
  }

  /** Read the record at the cursor; a network that has ended keeps its last one. */
  follow() {
    const { store } = this.run;
    if (!this.visible || !this.tiles || !store?.count) return;
    const row = Math.max(this.view.cursor.row, 0);
    const at = store.column("step")[row];
    if (at === this.at && !this.stale) return;
    this.at = at;
    for (const tile of this.tiles) {
      const columns = tile.trace.meta?.y;
      if (!columns) {
        tile.z = tile.trace.z; // the goal
        continue;
      }
      const place = Math.min(row, store.lastRow(store.column(columns[0][0])));
      const sign = (y, x) => (this.mistakes && x !== y ? -1 : 1);
      tile.z = columns.map((names, y) =>
        names.map((name, x) => store.column(name)[place] * sign(y, x)),
      );
    }
    this.paint();
  }

  /** An entry in words. */
  say(value, y, x) {
    if (!Number.isFinite(value)) return "not finite";
    const number = +(this.mistakes ? 100 * Math.abs(value) : value).toPrecision(3);
    const parts = { value: number, row: this.classes[y], column: this.classes[x] };
    return this.words.cell.replace(/{(\w+)}/g, (_, name) => parts[name]);
  }

  /** The largest entry off the diagonal of each matrix, in words. */
  summarise() {
    const sentences = this.tiles.flatMap(({ trace, z }) => {
      if (!z || this.classes.length < 2) return [];
      const size = this.mistakes ? (value) => -value : (value) => value;
      const entries = z.flatMap((row, y) => row.map((value, x) => ({ value, y, x })));
      const beside = entries.filter(({ y, x }) => y !== x);
      const most = beside.reduce((one, other) => (size(other.value) > size(one.value) ? other : one));
      const words = this.say(most.value, most.y, most.x);
      return size(most.value) > 0 ? `${trace.name}: ${this.words.most}, ${words}.` : [];
    });
    write(this.card.words, [`At step ${whole(this.at ?? 0)}.`, ...sentences].join(" "));
  }
}
