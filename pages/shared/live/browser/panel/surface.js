// Surface: lines side by side as one surface in three dimensions. Plotly draws it at most once a
// second. The viewer's camera is kept; the cursor is a highlighted slice.

import { make, sizeOf } from "../base/dom.js";
import { remember } from "../base/memory.js";
import { mirrored } from "../base/theme.js";
import { brief, plain, whole } from "../base/words.js";
import { COLUMNS, TOLD, spread } from "./numbers.js";
import { Panel } from "./panel.js";

const PACE = 1000; // ms between two drawings of new records
const MOST = 100; // records in a surface
const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false };
const NO_WEBGL =
  "This browser cannot show three dimensions (WebGL is off). The chart of singular values has " +
  "the same numbers.";

export class Surface extends Panel {
  constructor(view, name) {
    super(view, name);
    this.part = "gl3d";
    this.plot.classList.add("dln-deep");
    this.card.log.hidden = true;
  }

  describe(figure) {
    if (!make("canvas").getContext("webgl")) {
      this.card.name(figure.layout.title.text);
      return this.card.lack(NO_WEBGL);
    }
    this.figure = figure;
    this.view.load(this.part);
    this.card.name(figure.layout.title.text);
    this.card.explain(figure.layout.meta?.note);
    this.forget();
  }

  forget() {
    this.seen = 0;
    this.stale = true;
  }

  get due() {
    const { store } = this.run;
    if (!this.drawable || this.dragged || !store?.count) return false;
    const paced = performance.now() - (this.laid ?? -PACE) >= PACE;
    return this.stale || (store.count !== this.seen && paced);
  }

  async layOut() {
    const first = !this.ready;
    this.stale = false;
    this.seen = this.run.store.count;
    this.laid = performance.now();
    if (first) this.plot.replaceChildren();
    this.ready = true;
    const { newPlot, react } = this.Plotly;
    const { theme } = this.view;
    const margin = { l: 0, r: 0, t: 0, b: 0 };
    const more = { margin, showlegend: false, title: undefined, paper_bgcolor: "rgba(0,0,0,0)" };
    const layout = { ...this.layout(theme), ...more, ...sizeOf(this.plot) };
    const drawing = (first ? newPlot : react)(this.plot, this.traces(theme), layout, CONFIG);
    if (first) this.plot.on("plotly_relayout", (change) => this.turned(change));
    await drawing;
  }

  /** Keep the camera for updates and reloads. */
  turned(change) {
    const camera = change["scene.camera"];
    if (!camera) return;
    this.held.camera = camera;
    remember(this);
  }

  layout(theme) {
    const { layout } = this.figure;
    const { scene } = layout;
    const axes = ["xaxis", "yaxis", "zaxis"].map((name) => {
      const grid = theme.dark ? "#3b3f49" : "#d8dbe2"; // WebGL has no transparent lines
      const look = { color: theme.soft, gridcolor: grid, zerolinecolor: grid };
      return [name, { ...scene[name], ...look }];
    });
    const camera = this.held.camera ?? scene.camera;
    const font = { color: theme.ink, family: theme.font };
    return { ...layout, font, scene: { ...scene, ...Object.fromEntries(axes), camera } };
  }

  traces(theme) {
    const surfaces = this.figure.data.map((trace) => this.surface(trace, theme));
    return [...surfaces, ...surfaces.map((each) => this.slice(each, theme))];
  }

  surface(trace, theme) {
    const { store } = this.run;
    const { meta } = trace;
    const columns = meta.y.map((name) => store.column(name));
    const count = store.lastRow(columns[0]) + 1;
    const size = Math.min(MOST, count);
    const rows = Array.from({ length: size }, (_, i) =>
      Math.round((i * (count - 1)) / Math.max(size - 1, 1)),
    );
    const colorscale = trace.colorscale.map(([at, color]) => [
      at,
      theme.dark ? mirrored(color) : color,
    ]);
    return {
      ...trace,
      colorscale,
      x: rows.map((row) => this.place(meta, row)),
      y: columns.map((_, mode) => mode + 1),
      z: columns.map((column) => rows.map((row) => column[row])),
    };
  }

  place({ x, unit = 1, least = -Infinity }, row) {
    const { store } = this.run;
    return Math.max(store.column(x)[row] / unit, least === "first" ? store.least(x) : least);
  }

  /** The line of a surface at the cursor. */
  slice({ meta }, theme) {
    const { cursor } = this.view;
    const line = { type: "scatter3d", mode: "lines+markers", hoverinfo: "skip", showlegend: false };
    const look = { line: { color: theme.ink, width: 6 }, marker: { color: theme.ink, size: 3 } };
    const points = cursor.on ? this.points(meta) : { x: [null], y: [null], z: [null] };
    return { ...line, ...look, ...points };
  }

  points(meta) {
    const { store } = this.run;
    const row = Math.min(this.view.cursor.row, store.lastRow(store.column(meta.y[0])));
    const x = meta.y.map(() => this.place(meta, row));
    const z = meta.y.map((name) => store.column(name)[row]);
    return { x, y: meta.y.map((_, mode) => mode + 1), z };
  }

  /** Move the slice. While Plotly is busy, the newest place wins. */
  async showCursor() {
    if (!this.ready || !this.visible) return;
    if (this.moving) return void (this.moved = true);
    const count = this.figure.data.length;
    const slices = this.figure.data.map((trace) => this.slice(trace, this.view.theme));
    const axes = ["x", "y", "z"].map((axis) => [axis, slices.map((slice) => slice[axis])]);
    const places = slices.map((_, place) => count + place);
    this.moving = true;
    try {
      await this.Plotly.restyle(this.plot, Object.fromEntries(axes), places);
    } finally {
      this.moving = false;
    }
    if (this.moved) {
      this.moved = false;
      requestAnimationFrame(() => this.showCursor());
    }
  }

  frame() {}

  paint() {}

  get seenAxes() {
    return this.held;
  }

  /** Say how large the first modes are at the cursor. */
  summarise() {
    const sentences = this.figure.data.map(({ name, meta }) => {
      const values = this.points(meta).z.slice(0, TOLD).map(brief);
      return `${plain(name)}: the first modes are ${values.join(", ")}.`;
    });
    const step = this.run.store.column("step")[Math.max(this.view.cursor.row, 0)];
    this.card.summarise(`At step ${whole(step)}. ${sentences.join(" ")}`);
  }

  /** A table of the modes of each surface over time. */
  get tables() {
    const { store } = this.run;
    return this.figure.data.map(({ name, meta }) => {
      const modes = meta.y.slice(0, COLUMNS);
      return {
        caption: plain(name),
        head: ["step", ...modes.map((_, at) => plain(`σ<sub>${at + 1}</sub>`))],
        rows: spread(store.lastRow(store.column(modes[0])) + 1).map((row) => [
          whole(store.column("step")[row]),
          ...modes.map((mode) => brief(store.column(mode)[row])),
        ]),
      };
    });
  }
}
