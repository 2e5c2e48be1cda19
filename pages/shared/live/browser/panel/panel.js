// Panel: one chart. Plotly owns axes, zoom and hover; a canvas paints the lines while the run is
// live. Plotly gets the real lines when the run rests and when a pointer enters.

import { API } from "../base/api.js";
import { download } from "../base/dom.js";
import { recall, remember } from "../base/memory.js";
import { Canvas } from "./canvas.js";
import { Card } from "./card.js";
import { follow } from "./between.js";
import { Crossings } from "./crossings.js";
import { onPage } from "./figure.js";
import { Line } from "./line.js";
import { Needle } from "./needle.js";
import { course, records } from "./numbers.js";
import { decades, growY, halves, rangeX } from "./ranges.js";

const HOVER_PAUSE = 1000; // ms between two refreshes of the lines under the pointer
const TIMING_PAUSE = 2000; // ms between two placements of theory on a clock
const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false };

export class Panel {
  constructor(view, name) {
    this.view = view;
    this.run = view.run;
    this.name = name;
    this.part = "basic"; // the part of plotly.js that draws the chart
    this.lines = [];
    this.fixed = []; // traces of theory
    this.crossings = new Crossings([]);
    this.visible = false; // whether the chart is in sight
    this.ready = false; // whether Plotly has drawn the chart
    this.stale = true; // whether Plotly must draw it again
    this.log = null; // the viewer's choice of the value axis; null for the figure's own
    this.hidden = new Set(); // groups of lines
    this.held = {}; // ranges that the viewer zoomed to
    recall(this);
    this.needle = new Needle(this);
    this.card = new Card(this);
    this.canvas = new Canvas(this);
    this.element = this.card.element;
    this.plot = this.card.plot;
    this.watchPointer();
  }

  watchPointer() {
    this.plot.onpointerenter = () => (this.pointed = true);
    this.plot.onpointerleave = () => (this.pointed = false);
    this.plot.onpointermove = () => this.hover();
    // Axes must not grow under a drag, which would then select a different range.
    this.plot.addEventListener("pointerdown", () => (this.dragged = true), true);
    const released = () => this.dragged && setTimeout(() => this.release());
    const signal = this.view.ended;
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, released, { signal });
  }

  release() {
    this.dragged = false;
    this.view.schedule();
  }

  /** Take the chart's description; records may have arrived already or come later. */
  describe(figure) {
    const { data, layout } = (this.figure = figure);
    this.fixed = data.filter((trace) => !trace.meta?.y);
    this.lines = data.filter((trace) => trace.meta?.y).map((trace) => new Line(trace));
    follow(this);
    // The place of theory on a clock changes with the run's pace.
    this.timed = this.fixed.some(({ meta }) => meta?.x && meta.x !== "step");
    this.timed ||= layout.meta?.changes && this.lines.some(({ meta }) => meta.x !== "step");
    this.logIsDefault = layout.yaxis?.type === "log";
    this.logX = layout.xaxis?.type === "log";
    this.crossings = new Crossings(this.lines, layout.meta?.crossings);
    const striped = Boolean(layout.yaxis2);
    if (this.ready && striped !== this.striped) this.clear(); // the plot has a different height
    this.plot.classList.toggle("dln-striped", (this.striped = striped));
    this.card.name(layout.title?.text ?? this.name);
    this.card.explain(layout.meta?.note);
    this.card.showLog(this.isLog);
    this.card.showLegend();
    this.card.naming.describe();
    this.forget();
  }

  /** Show why the run has no such chart. */
  lacks(sentence = "") {
    this.clear();
    this.figure = null;
    this.lines = this.fixed = [];
    this.needle.show();
    this.card.lack(sentence);
  }

  /** Remove Plotly's drawing. */
  clear() {
    if (this.ready) this.Plotly.purge(this.plot);
    this.ready = false;
  }

  /** Observe and paint from the first record again. */
  forget() {
    this.seen = 0;
    this.age = this.run.store?.age;
    const nothing = { low: Infinity, high: -Infinity, positive: Infinity };
    this.extent = nothing;
    this.stripExtent = { ...nothing };
    this.range = {};
    for (const line of this.lines) line.forget();
    this.crossings.forget();
    this.canvas.forget();
    this.needle.forget();
    this.stale = true;
  }

  // What the viewer chooses

  get isLog() {
    return this.log ?? this.logIsDefault;
  }

  toggleLog() {
    this.log = !this.isLog;
    delete this.held.y;
    delete this.range.y;
    this.card.showLog(this.isLog);
    remember(this);
    this.redraw();
  }

  toggleGroup(group) {
    if (!this.hidden.delete(group)) this.hidden.add(group);
    remember(this);
    this.redraw();
  }

  isHidden(line) {
    return this.hidden.has(line.group) || line.trace.visible === false;
  }

  /** Keep the range that the viewer chose. */
  zoomed(change) {
    if (this.growing) return;
    for (const name of ["x", "y"]) {
      const from = change[`${name}axis.range[0]`];
      if (from !== undefined) this.held[name] = [+from, +change[`${name}axis.range[1]`]];
    }
    remember(this);
    this.redraw(); // with lines thinned for the visible range
  }

  // What the records span

  observe() {
    const store = this.run.store;
    if (!store || !this.figure) return;
    if (this.age !== store.age) this.forget();
    this.view.origin?.lines(this); // the axes hold the parent run, too
    if (this.seen === store.count) return;
    for (const line of this.lines)
      line.observe(store, this.seen, line.strip ? this.stripExtent : this.extent);
    this.crossings.observe(store, this.seen);
    this.seen = store.count;
  }

  ranges() {
    this.range.x = rangeX(this);
    this.range.y = this.rangeY();
    if (this.striped) this.range.strip = growY(this.range.strip, this.stripExtent, [], true);
    return { ...this.range, ...this.held };
  }

  /** What a file takes over: the ranges of the axes, or the camera. */
  get seenAxes() {
    return this.ranges();
  }

  rangeY() {
    const { yaxis = {}, shapes = [] } = this.figure.layout;
    if (yaxis.range && this.isLog === this.logIsDefault) return yaxis.range;
    const goals = shapes.flatMap(({ y0, y1, yref }) => (yref === "paper" ? [] : [y0, y1]));
    return growY(this.range.y, this.span(), goals, this.isLog, yaxis.rangemode === "tozero");
  }

  /** The extent of all panels of one figure: side by side, they share one scale; numbers do not. */
  span() {
    const stem = ({ name }) => (name.startsWith("numbers/") ? name : name.split("/")[0]);
    const peers = this.view.shown.filter((panel) => stem(panel) === stem(this));
    const extents = peers.map((panel) => (panel.observe(), panel.extent));
    return {
      low: Math.min(...extents.map(({ low }) => low)),
      high: Math.max(...extents.map(({ high }) => high)),
      positive: Math.min(...extents.map(({ positive }) => positive)),
    };
  }

  // Drawing

  redraw() {
    this.stale = true;
    this.view.schedule();
  }

  get Plotly() {
    return this.view.libraries[this.part];
  }

  get drawable() {
    const { Plotly } = this;
    return Plotly && this.figure && this.visible && (this.run.store?.count || this.ready);
  }

  /** Whether Plotly must draw before the next records can be shown. */
  get due() {
    if (!this.drawable || this.dragged) return false;
    const { store, live } = this.run;
    return this.stale || (store && (this.age !== store.age || (!live && this.seen < store.count)));
  }

  /** Have Plotly draw the chart; its lines are visible only while the run rests. */
  async layOut() {
    this.observe();
    this.stale = false;
    this.laid = performance.now();
    this.hide();
    const first = !this.ready;
    if (first) this.plot.replaceChildren();
    this.ready = true;
    const { newPlot, react } = this.Plotly;
    const drawing = (first ? newPlot : react)(this.plot, ...onPage(this), CONFIG);
    if (first) this.listen();
    await drawing;
    this.canvas.place();
    this.paint();
    this.showCursor();
    if (this.view.modes.lit) this.view.modes.light(this); // Plotly drew all lines at full opacity
  }

  listen() {
    this.view.modes.watch(this);
    this.plot.on("plotly_relayout", (change) => this.zoomed(change));
    this.plot.on("plotly_relayouting", () => this.paint());
    this.plot.on("plotly_doubleclick", () => {
      this.held = {};
      remember(this);
      this.redraw();
    });
  }

  /** Show new records; called once a frame. */
  frame() {
    if (!this.ready || !this.visible || !this.run.live) return;
    this.observe();
    if (!this.dragged) this.grow();
    this.paint();
    this.card.naming.say();
    if (this.timed && performance.now() - this.laid > TIMING_PAUSE) this.redraw();
    if (this.pointed) this.hover();
  }

  /** Grow the axes if the records need it. */
  async grow() {
    const { x, y, strip } = this.ranges();
    const { xaxis, yaxis, yaxis2 } = this.plot._fullLayout;
    const holds = (axis, range) =>
      range.every((end, i) => Math.abs(end - axis.range[i]) <= 1e-9 * Math.abs(end));
    if (holds(xaxis, x) && holds(yaxis, y) && (!strip || holds(yaxis2, strip))) return;
    const change = { "xaxis.range": [...x], "yaxis.range": [...y] };
    if (this.isLog) change["yaxis.dtick"] = decades(y);
    if (strip) Object.assign(change, { "yaxis2.range": [...strip], "yaxis2.dtick": halves(strip) });
    if (this.logX) change["xaxis.dtick"] = decades(x);
    this.growing = true; // Plotly reports this change as if the viewer had made it
    try {
      await this.Plotly.relayout(this.plot, change);
    } finally {
      this.growing = false;
    }
    this.canvas.place();
  }

  /** Whether the canvas has the lines, and not Plotly. */
  get painted() {
    return this.run.live || this.view.cursor.growing;
  }

  /** Hide Plotly's lines while the canvas paints them; those of a replay's future may be faint. */
  hide() {
    this.plot.classList.toggle("dln-painted", this.painted);
    const { cursor, ahead } = this.view;
    this.plot.classList.toggle("dln-ahead", ahead && cursor.growing && !this.run.live);
  }

  paint() {
    if (!this.painted) this.canvas.clear();
    else if (this.plot._fullLayout?.xaxis && this.run.store) this.canvas.paint();
    if (this.view.cursor.on) this.needle.place();
  }

  showCursor() {
    this.hide();
    if (this.ready && (this.painted || this.canvas.key)) this.paint();
    this.needle.show();
    this.card.naming.say();
  }

  /** Save all records as CSV in full precision, which only the server has. */
  saveNumbers(name) {
    const query = new URLSearchParams({ panels: this.name });
    download(`${API}runs/${this.run.key}/records.csv?${query}`, `${name}.csv`);
  }

  summarise() {
    this.observe();
    this.card.summarise(course(this));
    this.card.showLegend();
  }

  /** Tables of what the chart shows. */
  get tables() {
    return [records(this)];
  }

  /** Give Plotly the newest records for its labels under the pointer. */
  hover() {
    if (this.run.live && this.ready && performance.now() - this.laid > HOVER_PAUSE) this.redraw();
  }

  leave() {
    this.clear();
  }
}
