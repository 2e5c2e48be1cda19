// Origin: the run that the shown run was forked from. Its lines are faint and begin where the two
// runs part.

import { firstAt } from "../base/thin.js";
import { Run } from "../run/run.js";
import { Line } from "../panel/line.js";

const PAUSE = 1000; // ms between two drawings of an origin that is live itself

export class Origin extends Run {
  /** `step` is the last step that both runs share; `redraw` is called for more to draw. */
  constructor(step, redraw) {
    super({ restart() {}, changed() {}, schedule: () => this.drawSoon() });
    Object.assign(this, { step, redraw, seen: new WeakMap() });
  }

  loadFigures() {} // the shown run's figures serve both

  drawSoon() {
    this.connection.acknowledge();
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      this.redraw();
    }, this.live ? PAUSE : 0);
  }

  /** This run's copies of a panel's lines, with all received records observed. */
  lines(panel) {
    const { store } = this;
    if (!store?.count) return [];
    const before = this.seen.get(panel);
    const { figure, extent } = panel;
    const same = before?.extent === extent && before.figure === figure && before.age === store.age;
    const copies = same ? before : { figure, extent, age: store.age, count: this.first };
    // The strip of residuals shows the run itself only.
    const main = panel.lines.filter(({ strip }) => !strip);
    copies.lines ??= main.map(({ trace }) => new Line(trace));
    for (const line of copies.lines) line.observe(store, copies.count, extent);
    copies.count = store.count;
    this.seen.set(panel, copies);
    return copies.lines;
  }

  /** The first row at or after the last step that both runs share. */
  get first() {
    return firstAt(this.store.column("step"), this.step);
  }

  leave() {
    clearTimeout(this.drawing);
    super.leave();
  }
}
