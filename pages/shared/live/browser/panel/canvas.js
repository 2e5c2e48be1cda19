// Canvas: paints a panel's lines while the run is live, ten times faster than Plotly draws them.

import { make } from "../base/dom.js";
import { FAINT, FAULT, RING } from "../base/theme.js";
import { thin } from "../base/thin.js";
import { between } from "./between.js";

const POINTS = 300; // about as many points of a line are painted
const AFRESH = 1500; // ms after which whole lines are painted again

export class Canvas {
  constructor(panel) {
    this.panel = panel;
    this.element = make("canvas", "dln-canvas", { "aria-hidden": "true" });
    this.pen = this.element.getContext("2d");
    this.forget();
  }

  /** Have the next painting paint whole lines. */
  forget() {
    this.key = "";
  }

  /** Place the canvas between Plotly's lines and its hover labels, in Plotly's size. */
  place() {
    const plot = this.panel.plot;
    const above = plot.querySelector(".svg-container > svg:last-of-type");
    if (above && this.element.nextSibling !== above) above.before(this.element);
    const { width, height } = plot._fullLayout;
    this.ratio = devicePixelRatio || 1;
    const size = [width, height].map((side) => Math.round(side * this.ratio));
    if (this.element.width === size[0] && this.element.height === size[1]) return;
    this.element.width = size[0];
    this.element.height = size[1];
    Object.assign(this.element.style, { width: `${width}px`, height: `${height}px` });
    this.forget();
  }

  clear() {
    this.pen.setTransform(1, 0, 0, 1, 0, 0);
    this.pen.clearRect(0, 0, this.element.width, this.element.height);
    this.forget();
  }

  /** Paint whole lines, or only their new ends if nothing else has changed. */
  paint() {
    const { plot, lines, hidden, run, view } = this.panel;
    const { xaxis, yaxis, yaxis2 } = plot._fullLayout;
    const x = scale(xaxis, false);
    const y = scale(yaxis, true);
    const strip = yaxis2 && scale(yaxis2, true);
    const { count, growing } = view.cursor;
    const state = [x.key, y.key, strip?.key, this.ratio, ...hidden, run.store.age, view.theme.key];
    state.push(growing);
    const key = [...state, view.modes.lit].join();
    const now = performance.now();
    // Ends painted one by one show their joints, so whole lines are painted again now and then.
    const whole = key !== this.key || now - this.painted > AFRESH || count < this.rows;
    if (whole) {
      this.clear();
      this.key = key;
      this.painted = now;
      this.rows = 0;
      for (const line of lines) line.pen = { x: NaN, y: NaN, run: 0, row: -1 };
    }
    this.pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    const shown = lines.filter((line) => !this.panel.isHidden(line));
    this.within(xaxis, yaxis, shown.filter((each) => !each.strip), x, y);
    if (strip) this.within(xaxis, yaxis2, shown.filter((each) => each.strip), x, strip);
    this.ring(x, y);
    this.rows = count;
  }

  /** Paint the lines of one pair of axes, clipped to them. */
  within(xaxis, yaxis, lines, x, y) {
    this.pen.save();
    this.pen.beginPath();
    this.pen.rect(xaxis._offset, yaxis._offset - 2, xaxis._length + 2, yaxis._length + 4);
    this.pen.clip();
    for (const line of lines.toReversed()) this.stroke(line, x, y); // the first is on top
    const { count } = this.panel.view.cursor;
    for (const line of lines) if (line.marked && line.good < count) this.mark(line, x, y);
    this.pen.restore();
  }

  /** Paint a ring where two modes have crossed since the last painting. */
  ring(x, y) {
    const { pen, panel } = this;
    pen.strokeStyle = panel.view.theme.ink;
    pen.lineWidth = RING.line.width;
    pen.setLineDash([]);
    for (const crossing of panel.crossings.shown(panel)) {
      if (crossing.row < this.rows || crossing.row >= panel.view.cursor.count) continue;
      pen.beginPath();
      pen.arc(x(crossing.x), y(crossing.y), RING.size / 2, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  color(line) {
    return line.color(this.panel.view.theme.dark);
  }

  /** Paint a line from the row at which the last painting ended. */
  stroke(line, x, y) {
    const { run: { store }, logX, view } = this.panel;
    const xs = store.column(line.meta.x);
    const ys = store.column(line.meta.y);
    const pen = this.pen;
    const at = line.pen;
    pen.strokeStyle = this.color(line);
    pen.lineWidth = line.width;
    pen.lineJoin = "round";
    pen.lineCap = line.dash.length ? "butt" : "round";
    pen.globalAlpha = this.panel.view.modes.isFaint(line) ? FAINT : 1;
    pen.setLineDash(line.dash);
    pen.lineDashOffset = at.run; // dashes continue where they ended
    pen.beginPath();
    if (Number.isFinite(at.x + at.y)) pen.moveTo(at.x, at.y);
    const dots = [];
    for (const row of thin(ys, this.rows, view.cursor.count, POINTS, logX)) {
      if (line.seldom && !Number.isFinite(ys[row])) continue;
      const px = x(line.place(xs[row]));
      const py = y(ys[row] * line.scale);
      if (line.seldom) dots.push([px, py]);
      const joined = Number.isFinite(at.x + at.y) && Number.isFinite(px + py);
      const way = joined ? between(line, store, at.row, row) : [];
      for (const [bx, by] of way) this.draw(line, x(bx), y(by));
      if (joined) this.draw(line, px, py);
      else if (Number.isFinite(px + py)) pen.moveTo(px, py);
      Object.assign(at, { x: px, y: py, row });
    }
    pen.stroke();
    if (line.seldom) this.dot(line, dots);
    pen.globalAlpha = 1;
  }

  /** Continue a line to a point. */
  draw({ dash, pen: at }, px, py) {
    this.pen.lineTo(px, py);
    if (dash.length) at.run += Math.hypot(px - at.x, py - at.y);
    at.x = px;
    at.y = py;
  }

  /** Paint a mark at each value of a line that is measured seldom. */
  dot(line, points) {
    const { size, symbol } = line.trace.marker;
    const open = symbol === "circle-open";
    this.pen.fillStyle = this.color(line);
    this.pen.lineWidth = 1; // of open marks, as Plotly has it
    this.pen.setLineDash([]);
    for (const [x, y] of points) {
      this.pen.beginPath();
      this.pen.arc(x, y, size / 2, 0, 2 * Math.PI);
      if (open) this.pen.stroke();
      else this.pen.fill();
    }
  }

  /** Paint a cross where a line stopped being finite, a dot where its network ended early. */
  mark(line, x, y) {
    const pen = this.pen;
    const end = line.end(this.panel.run.store);
    const px = x(end[0]);
    const py = y(end[1]);
    pen.setLineDash([]);
    pen.beginPath();
    if (!line.broken) {
      pen.fillStyle = this.color(line);
      pen.arc(px, py, 3.5, 0, 2 * Math.PI);
      return pen.fill();
    }
    pen.strokeStyle = FAULT;
    pen.lineWidth = 2.5;
    for (const slope of [-1, 1]) {
      pen.moveTo(px - 5, py - 5 * slope);
      pen.lineTo(px + 5, py + 5 * slope);
    }
    pen.stroke();
  }
}

/** A function from a value to a pixel on one of Plotly's axes; `key` describes the axis. */
function scale({ _offset: offset, _length: length, type, range }, down) {
  const [from, to] = range.map(Number);
  const unit = (down ? -length : length) / (to - from);
  const start = down ? offset + length : offset;
  const linear = (value) => start + unit * (value - from);
  const map = type === "log" ? (value) => linear(Math.log10(value)) : linear;
  return Object.assign(map, { key: [offset, length, type, from, to].join("/") });
}
