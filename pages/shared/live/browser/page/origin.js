// Beside: the run that the shown one goes on from. Its lines are faint, from where the two part.

import { firstAt } from "../base/thin.js";
import { Run } from "../run/run.js";
import { Line } from "../panel/line.js";

const PAUSE = 1000; // ms between two drawings of a run that goes on itself

export class Beside extends Run {
  /** `step` is the last one that both share; `redraw` is called when there is more to draw. */
  constructor(step, redraw) {
    super({ restart() {}, changed() {}, schedule: () => this.drawSoon() });
    Object.assign(this, { step, redraw, seen: new WeakMap() });
  }

  loadFigures() {} // they are those of the shown run

  drawSoon() {
    this.connection.acknowledge();
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      this.redraw();
    }, this.live ? PAUSE : 0);
  }

  /** This run's copies of a panel's lines, with all records noted that are here. */
  lines(panel) {
    const { store } = this;
    if (!store?.count) return [];
    const known = this.seen.get(panel);
    const { figure, extent } = panel;
    const same = known?.extent === extent && known.figure === figure && known.age === store.age;
    const found = same ? known : { figure, extent, age: store.age, count: this.first };
    // A strip of residuals is about the shown run alone.
    const main = panel.lines.filter(({ strip }) => !strip);
    found.lines ??= main.map(({ trace }) => new Line(trace));
    for (const line of found.lines) line.observe(store, found.count, extent);
    found.count = store.count;
    this.seen.set(panel, found);
    return found.lines;
  }

  /** The row from which the runs are apart. */
  get first() {
    return firstAt(this.store.column("step"), this.step);
  }

  leave() {
    clearTimeout(this.drawing);
    super.leave();
  }
}
