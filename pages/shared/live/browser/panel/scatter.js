// Scatter: recorded points at the cursor, a mark and a colour for each class. The axes hold all
// records and only grow.

import { sizeOf } from "../base/dom.js";
import { remember } from "../base/memory.js";
import { mirrored } from "../base/theme.js";
import { brief, marked, plain, whole } from "../base/words.js";
import { axis } from "./figure.js";
import { Panel } from "./panel.js";
import { roundUp } from "./ranges.js";

const PACE = 100; // ms between two drawings of new records
const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false };

export class Scatter extends Panel {
  constructor(view, name) {
    super(view, name);
    this.card.log.hidden = true;
  }

  describe(figure) {
    if (this.ready && Boolean(figure.layout.yaxis2) !== this.striped) this.clear();
    this.figure = figure;
    this.striped = Boolean(figure.layout.yaxis2);
    this.plot.classList.add("dln-cloud");
    this.plot.classList.toggle("dln-striped", this.striped);
    this.card.name(figure.layout.meta.title);
    this.plot.setAttribute("aria-label", `Points: ${plain(figure.layout.meta.title)}`);
    this.card.explain(plain(figure.layout.meta.note ?? ""));
    this.forget();
  }

  /** Draw from the first record again. */
  forget() {
    this.seen = 0;
    this.most = 0; // the greatest size of a coordinate in all records
    this.age = this.run.store?.age;
    this.at = undefined; // step of the points
    this.stale = true;
  }

  observe() {
    const { store } = this.run;
    if (!store || !this.figure) return;
    if (this.age !== store.age) this.forget();
    for (const name of this.figure.data.flatMap(({ meta }) => meta.y.flat())) {
      for (const value of store.column(name).subarray(this.seen)) {
        if (Math.abs(value) > this.most && Number.isFinite(value)) this.most = Math.abs(value);
      }
    }
    this.seen = store.count;
  }

  get row() {
    return Math.max(this.view.cursor.row, 0);
  }

  /** Whether the shown points are not those of the cursor. */
  get moved() {
    return this.run.store?.column("step")[this.row] !== this.at;
  }

  get due() {
    if (!this.drawable || this.dragged || !this.run.store?.count) return false;
    const paced = performance.now() - (this.laid ?? -PACE) >= PACE;
    return this.stale || (paced && this.moved);
  }

  async layOut() {
    this.observe();
    const first = !this.ready;
    this.stale = false;
    this.laid = performance.now();
    this.at = this.run.store.column("step")[this.row];
    if (first) this.plot.replaceChildren();
    this.ready = true;
    const { newPlot, react } = this.Plotly;
    const { theme } = this.view;
    const data = this.figure.data.map((trace) => this.points(trace, theme));
    const drawing = (first ? newPlot : react)(this.plot, data, this.layout(theme), CONFIG);
    if (first) this.listen();
    this.card.title.innerHTML = marked(`${this.figure.layout.meta.title} at step ${whole(this.at)}`);
    await drawing;
  }

  /** A class's points; a network that has ended keeps its last ones. */
  points(trace, theme) {
    const { store } = this.run;
    const [x, y] = trace.meta.y.map((names) => names.map((name) => store.column(name)));
    const row = x.length ? Math.min(this.row, store.lastRow(x[0])) : 0;
    const { color } = trace.marker;
    return {
      ...trace,
      x: x.map((column) => column[row]),
      y: y.map((column) => column[row]),
      visible: this.hidden.has(trace.legendgroup) ? "legendonly" : true,
      marker: { ...trace.marker, color: theme.dark ? mirrored(color) : color },
    };
  }

  layout(theme) {
    const { layout } = this.figure;
    const most = this.most ? roundUp(this.most * 1.04) : 1;
    const range = [-most, most];
    const text = { color: theme.ink, family: theme.font };
    const styled = (name, held) => axis(layout[name], theme, held ?? range, "linear");
    return {
      ...layout,
      title: undefined,
      font: text,
      xaxis: styled("xaxis", this.held.x),
      yaxis: styled("yaxis", this.held.y),
      ...(this.striped && { yaxis2: styled("yaxis2") }),
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", itemdoubleclick: false },
      ...sizeOf(this.plot),
      margin: { l: 58, r: 22, t: 10, b: 44 },
      hoverlabel: { bgcolor: theme.paper, font: { ...text, size: 13 } },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    };
  }

  listen() {
    this.plot.on("plotly_relayout", (change) => this.zoomed(change));
    this.plot.on("plotly_doubleclick", () => {
      this.held = {};
      remember(this);
      this.redraw();
    });
    this.plot.on("plotly_legendclick", ({ curveNumber, data }) => {
      this.toggleGroup(data[curveNumber].legendgroup);
      return false;
    });
  }

  showCursor() {
    this.view.schedule();
  }

  frame() {
    if (!this.visible || !this.figure || !this.moved) return;
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      this.view.schedule();
    }, PACE);
  }

  hover() {}

  paint() {}

  get seenAxes() {
    return this.held;
  }

  /** Say where the middle of each class is. */
  summarise() {
    const middles = this.tables[0].rows.map(([name, ...place]) => `${name} (${place.join(", ")})`);
    this.card.summarise(`At step ${whole(this.at ?? 0)}, the middle of each class: ${middles.join(", ")}.`);
  }

  /** A table of the middle of each class; CSV has all points. */
  get tables() {
    const mean = (values) => brief(values.reduce((sum, value) => sum + value, 0) / values.length);
    const { theme } = this.view;
    const shown = this.figure.data.map((trace) => this.points(trace, theme));
    const places = shown.filter(({ x }) => x.length);
    return [
      {
        caption: "The middle of each class; CSV has all points.",
        head: ["class", "horizontal", "vertical"],
        rows: places.map(({ name, x, y }) => [plain(name), mean(x), mean(y)]),
      },
    ];
  }

  leave() {
    clearTimeout(this.waiting);
    super.leave();
  }
}
