// Crossings: the records at which two lines of one network have exchanged places. The function in
// dynamics/findings/crossings.py finds the same crossings.

export class Crossings {
  /** `least` is the value that one of the two must have reached; if missing, no crossing counts. */
  constructor(lines, least = Infinity) {
    this.least = least;
    const isFollowed = ({ strip, meta }) => !strip && meta.mode !== undefined;
    const followed = least < Infinity ? lines.filter(isFollowed) : [];
    this.groups = [...Map.groupBy(followed, ({ meta }) => meta.network).values()];
    this.forget();
  }

  forget() {
    this.found = []; // each { row, lines }
    this.orders = this.groups.map(() => null); // each group's lines, the greatest value first
  }

  /** Note the crossings among the records from a row on. */
  observe(store, from) {
    this.store = store;
    this.groups.forEach((lines, group) => {
      const columns = lines.map(({ meta }) => store.column(meta.y));
      for (let row = from; row < store.count; row++) this.look(group, columns, row);
    });
  }

  look(group, columns, row) {
    if (!columns.every((column) => Number.isFinite(column[row]))) return;
    const before = this.orders[group] ?? columns.map((_, place) => place);
    const falls = (place, at) => !at || columns[before[at - 1]][row] >= columns[place][row];
    if (before.every(falls)) return void (this.orders[group] = before);
    const now = before.toSorted((a, b) => columns[b][row] - columns[a][row]);
    if (this.orders[group]) this.compare(this.groups[group], before, now, row);
    this.orders[group] = now;
  }

  compare(lines, before, now, row) {
    const value = (place) => this.store.column(lines[place].meta.y)[row];
    for (const [at, upper] of before.entries()) {
      for (const lower of before.slice(at + 1)) {
        if (now.indexOf(lower) > now.indexOf(upper)) continue;
        if (Math.max(value(upper), value(lower)) < this.least) continue;
        const pair = [upper, lower].sort((a, b) => a - b);
        this.found.push({ row, lines: pair.map((place) => lines[place]) });
      }
    }
  }

  /** The crossings of visible lines: row, place and label of each. */
  shown(panel) {
    const { store } = panel.run;
    const hidden = (line) => panel.isHidden(line);
    const rings = this.found.filter(({ lines }) => !lines.some(hidden));
    return rings.map(({ row, lines }) => {
      const [first, second] = lines.map(({ meta, scale }) => store.column(meta.y)[row] * scale);
      const step = Math.round(store.column("step")[row]).toLocaleString("en");
      const modes = lines.map(({ meta }) => meta.mode).join(" and ");
      const text = `modes ${modes} cross at step ${step}`;
      return { row, x: lines[0].x(store, row), y: (first + second) / 2, text };
    });
  }
}
