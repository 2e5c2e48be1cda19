// Naming: under a chart's legend, each grown mode with the classes or items that it tells apart, at the cursor
// or at the newest record. Pointing at a name lights its mode in all charts, a click keeps it.

import { button, make, write } from "../base/dom.js";
import { atEnds, named } from "./classes.js";

const GROWN = 0.05; // a mode is named if its value is this share of the largest at least
const MOST = 9; // names in a chart
const PAUSE = 250; // ms between two updates while the charts follow a run

export class Naming {
  constructor(panel) {
    this.panel = panel;
    this.element = make("div", "dln-naming", { role: "group", "aria-label": "What modes tell apart" });
    this.names = [];
  }

  /** Take the lines of a new description. */
  describe() {
    const { lines, figure, view } = this.panel;
    this.classes = figure.layout.meta?.classes;
    this.ends = figure.layout.meta?.ends ?? false;
    this.groups = figure.layout.meta?.groups ?? {};
    const vectors = this.classes ? lines.filter(({ meta }) => meta.vector) : [];
    this.names = vectors.slice(0, MOST).map((line) => {
      const words = make("span");
      const swatch = make("i", "", { style: `background:${line.color(view.theme.dark)}` });
      const { mode } = line.meta;
      const key = button("dln-mode", { hidden: "", title: "Light this mode" }, "", () => {
        view.modes.choose(mode === view.modes.chosen ? null : mode);
      });
      key.onpointerenter = () => view.modes.hover(mode);
      key.onpointerleave = () => view.modes.hover(null);
      key.append(swatch, words);
      return { line, words, key };
    });
    this.element.replaceChildren(...this.names.map(({ key }) => key));
    this.told = 0;
  }

  /** Write the names, now and then while the charts follow a run. */
  say() {
    const { run, view } = this.panel;
    if (!this.names.length || !run.store?.count) return;
    const now = performance.now();
    if (run.live && !view.cursor.on && now - this.told < PAUSE) return;
    this.told = now;
    const row = Math.max(view.cursor.row, 0);
    const last = run.store.lastRow(run.store.column(this.names[0].line.meta.y));
    const value = (name) => run.store.column(name)[Math.min(row, last)];
    const largest = value(this.names[0].line.meta.y);
    for (const { line, words, key } of this.names) {
      const vector = line.meta.vector.map(value);
      const name = this.ends ? atEnds(vector, this.classes) : named(vector, this.classes, this.groups);
      key.hidden = !name || !(value(line.meta.y) > GROWN * largest);
      write(words, `${line.label} ${name}`);
    }
  }
}
