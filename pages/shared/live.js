// Live charts: draws the panels of one run from the run's own stream (see stream.py).
//
// A canvas paints the lines while the run goes on; Plotly owns axes, zoom, hover and files. It is
// given real lines when the run rests, when a pointer enters and when a file is asked for. Nothing
// here knows what the lines mean: a figure's traces say in `meta` which columns they draw.

const POINTS = 300; // of a line that is painted; twice as many in a line that Plotly holds
const GRACE = 500; // ms for which a chart may be out of the document before it is taken down
const HOVER_PAUSE = 1000; // ms between two refreshes of the lines under the pointer
const REPAINT = 1500; // ms between two paintings of whole lines
const STRIP_PAUSE = 200; // ms between two updates of the status strip
const SUMMARY_PAUSE = 2000; // ms between two updates of the text alternative
const LONGEST_WAIT = 8000; // ms between two attempts to connect

const PHASES = {
  queued: ["Queued", "wait"],
  running: ["Running", "go"],
  paused: ["Paused", "wait"],
  done: ["Done", "good"],
  diverged: ["Diverged", "bad"],
  cancelled: ["Cancelled", "still"],
  failed: ["Failed", "bad"],
  lost: ["Worker lost", "bad"],
  unreadable: ["Unreadable", "bad"],
};

const STYLE = `
.dln { --ink: var(--st-text-color, #31333f); --edge: var(--st-border-color, #d5d7de);
  --paper: var(--st-background-color, #fff); --card: var(--st-secondary-background-color, #f6f7f9);
  --soft: color-mix(in srgb, var(--ink) 66%, var(--paper));
  --accent: var(--st-primary-color, #2f6fde);
  color: var(--ink); font: 14px/1.45 var(--st-font, sans-serif); container-type: inline-size; }
.dln * { box-sizing: border-box; }
.dln-strip { border: 1px solid var(--edge); border-radius: 12px; padding: 12px 16px;
  margin-bottom: 16px; overflow: hidden; position: relative; }
.dln-line { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 18px;
  min-height: 21px; }
.dln-phase { font-weight: 600; display: inline-flex; align-items: center; gap: 8px; }
.dln-dot { width: 9px; height: 9px; border-radius: 50%; background: #8a8f98; flex: none; }
.dln-dot[data-tone=go] { background: #2f9e5f; } .dln-dot[data-tone=good] { background: #2f6fde; }
.dln-dot[data-tone=wait] { background: #d99a1c; } .dln-dot[data-tone=bad] { background: #d1453b; }
.dln-fact { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
.dln-machine { margin-left: auto; white-space: normal; }
.dln-message { margin: 4px 0 0; } .dln-message:empty { display: none; }
.dln-bar { position: absolute; left: 0; right: 0; bottom: 0; height: 3px;
  background: color-mix(in srgb, var(--ink) 9%, transparent); }
.dln-bar > div { height: 100%; width: 100%; background: var(--accent); transform-origin: left;
  transform: scaleX(0); }
.dln-grid { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; }
@container (min-width: 900px) {
  .dln-grid[data-many] { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px; } }
.dln-card { border: 1px solid var(--edge); border-radius: 12px; padding: 12px 14px 8px; margin: 0;
  display: flex; flex-direction: column; min-width: 0; }
.dln-head { display: flex; align-items: flex-start; gap: 8px 10px; min-height: 32px; }
.dln-title { font-size: 15px; font-weight: 600; line-height: 1.35; margin: 0; padding: 4px 0;
  flex: 1 1 auto; min-width: 0; }
.dln-tools { display: flex; gap: 6px; position: relative; flex: none; }
.dln-button { font: inherit; font-size: 13px; line-height: 1; color: var(--soft); cursor: pointer;
  background: transparent; border: 1px solid transparent; border-radius: 8px; padding: 0 9px;
  height: 30px; display: inline-flex; align-items: center; gap: 5px; white-space: nowrap; }
.dln-button:hover, .dln-button[aria-expanded=true] { color: var(--ink); background: var(--card); }
.dln-tools > .dln-button { border-color: var(--edge); }
.dln-tools > .dln-button[aria-pressed=true] { color: var(--accent); border-color: var(--accent);
  background: color-mix(in srgb, var(--accent) 9%, transparent); }
.dln-button:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.dln-button[aria-pressed=false].dln-key { opacity: .45; text-decoration: line-through; }
.dln-menu { position: absolute; right: 0; top: 34px; z-index: 20; min-width: 178px; padding: 5px;
  background: var(--paper); border: 1px solid var(--edge); border-radius: 10px; display: grid;
  box-shadow: 0 6px 22px rgb(0 0 0 / .16); }
.dln-menu[hidden] { display: none; }
.dln-menu .dln-button { width: 100%; justify-content: flex-start; height: 34px; color: var(--ink); }
.dln-legend { display: flex; flex-wrap: wrap; gap: 2px 4px; margin: 2px 0 0 -9px;
  min-height: 30px; }
.dln-legend:empty { display: none; }
.dln-plot { position: relative; height: 290px; margin-top: auto; contain: layout paint;
  will-change: transform; } /* a layer of its own, so that a rerun around it does not repaint it */
.dln-plot canvas.dln-canvas { position: absolute; left: 0; top: 0; pointer-events: none; }
.dln-painted [class*="tracedln"] { visibility: hidden; }
.dln-plot .nsewdrag { touch-action: pan-y; }
.dln-wait { height: 100%; display: grid; place-items: center; color: var(--soft); }
.dln-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; margin: 0;
  clip-path: inset(50%); white-space: nowrap; }
@container (max-width: 480px) {
  .dln-strip { padding: 10px 14px 12px; } .dln-plot { height: 270px; }
  .dln-machine { margin-left: 0; } .dln-card { padding: 10px 10px 6px; } }
@media (pointer: coarse) { .dln-button { height: 38px; padding: 0 11px; } .dln-menu { top: 42px; }
  .dln-menu .dln-button { height: 42px; } .dln-legend { min-height: 34px; }
  .dln-legend .dln-button { height: 34px; } }
`;

// Small helpers ---------------------------------------------------------------------------------

function make(tag, className = "", attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const plain = (html) => html.replace(/<[^>]*>/g, "");

/** Text in which Plotly's few tags are kept and all else is only text. */
function marked(text) {
  const safe = text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return safe.replace(/&lt;(\/?)(sub|sup|i|b)&gt;/g, "<$1$2>");
}

const number = (value) => Math.round(value).toLocaleString("en");

function brief(value) {
  if (!Number.isFinite(value)) return "not finite";
  const size = Math.abs(value);
  return size && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(2)
    : String(+value.toPrecision(3));
}

function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

const STEPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The next round number at or above a positive one. */
function roundUp(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return (STEPS.find((step) => step * unit >= value * (1 - 1e-9)) ?? 10) * unit;
}

/** A colour for a dark page: what is faint on white, light, must be dark there. */
function mirrored(color) {
  const digits = /^#([0-9a-f]{6})$/i.exec(color ?? "");
  if (!digits) return color;
  const [r, g, b] = [16, 8, 0].map((shift) => ((parseInt(digits[1], 16) >> shift) & 255) / 255);
  const high = Math.max(r, g, b),
    low = Math.min(r, g, b),
    span = high - low;
  const light = (high + low) / 2;
  const saturation = span ? span / (1 - Math.abs(2 * light - 1)) : 0;
  const hue = !span
    ? 0
    : high === r
      ? ((g - b) / span + 6) % 6
      : high === g
        ? (b - r) / span + 2
        : (r - g) / span + 4;
  const mirror = Math.min(Math.max(1.1 - light, 0.3), 0.7);
  const percent = (part) => `${(part * 100).toFixed(0)}%`;
  return `hsl(${(hue * 60).toFixed(0)},${percent(saturation)},${percent(mirror)})`;
}

/** Rows from..to of a curve, thinned to about `most`: the least and the greatest of each bucket. */
function thin(y, from, to, most) {
  const rows = [];
  if (to - from <= most) {
    for (let row = from; row < to; row++) rows.push(row);
    return rows;
  }
  const buckets = most >> 1,
    size = (to - from) / buckets;
  let last = from;
  rows.push(from);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = from + Math.floor(bucket * size),
      end = from + Math.floor((bucket + 1) * size);
    let least = -1,
      greatest = -1;
    for (let row = start; row < end; row++) {
      const value = y[row];
      if (!Number.isFinite(value)) continue;
      if (least < 0 || value < y[least]) least = row;
      if (greatest < 0 || value > y[greatest]) greatest = row;
    }
    for (const row of least < greatest ? [least, greatest] : [greatest, least]) {
      if (row > last) rows.push((last = row));
    }
  }
  if (last < to - 1) rows.push(to - 1);
  return rows;
}

/** The first row of a rising x at or above a value. */
function firstAt(x, value) {
  let low = 0,
    high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

let plotlyLoading = null;

function loadPlotly(address) {
  plotlyLoading ??= new Promise((resolve, reject) => {
    const script = make("script", "", { src: address });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotlyLoading = null;
      reject(new Error("The chart library could not be loaded; reload the page."));
    };
    document.head.append(script);
  });
  return plotlyLoading;
}

// The records -----------------------------------------------------------------------------------

/** All records that were received, in one Float32Array, column after column. */
class Store {
  constructor(names) {
    this.names = names;
    this.index = new Map(names.map((name, place) => [name, place]));
    this.room = 0;
    this.data = new Float32Array(0);
    this.age = 0; // goes up whenever everything is replaced
    this.clear();
  }

  clear() {
    this.count = this.position = 0;
    this.age++;
  }

  /** Take a binary frame; false if it does not follow what is here. */
  take(buffer) {
    const [position, count, upto] = new Uint32Array(buffer, 0, 3);
    if (position === 0) this.clear();
    else if (position !== this.position) return false;
    const rows = new Float32Array(buffer, 12),
      width = this.names.length;
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
    for (let column = 0; column < this.names.length; column++) {
      data.set(
        this.data.subarray(column * this.room, column * this.room + this.count),
        column * room,
      );
    }
    [this.room, this.data] = [room, data];
  }

  column(name) {
    const place = this.index.get(name);
    if (place === undefined) return new Float32Array(this.count).fill(NaN);
    return this.data.subarray(place * this.room, place * this.room + this.count);
  }

  last(name) {
    return this.count ? this.column(name)[this.count - 1] : NaN;
  }
}

// One chart -------------------------------------------------------------------------------------

class Panel {
  constructor(view, name) {
    this.view = view;
    this.name = name;
    this.lines = [];
    this.visible = false;
    this.ready = false; // whether Plotly has drawn the axes
    this.painted = { key: "", rows: 0 };
    this.recall();
    this.build();
  }

  /** What the viewer chose for this chart outlives a reload. */
  recall() {
    let kept = {};
    try {
      kept = JSON.parse(sessionStorage.getItem(`dln:${this.name}`)) ?? {};
    } catch {
      /* none */
    }
    this.log = kept.log ?? null; // null: as the figure says
    this.hidden = new Set(kept.hidden ?? []);
    this.held = kept.run === this.view.data.run ? (kept.held ?? {}) : {};
  }

  keep() {
    const kept = {
      log: this.log,
      hidden: [...this.hidden],
      held: this.held,
      run: this.view.data.run,
    };
    try {
      sessionStorage.setItem(`dln:${this.name}`, JSON.stringify(kept));
    } catch {
      /* full */
    }
  }

  build() {
    this.title = make("h3", "dln-title");
    this.logButton = make(
      "button",
      "dln-button",
      { type: "button", title: "Logarithmic value axis" },
      "log",
    );
    this.logButton.onclick = () => this.toggleLog();
    this.exportButton = make(
      "button",
      "dln-button",
      { type: "button", "aria-haspopup": "menu", "aria-expanded": "false" },
      "Export",
    );
    this.exportButton.onclick = () => this.openMenu(this.menu.hidden);
    this.menu = make("div", "dln-menu", { role: "menu", hidden: "" });
    this.item("SVG, for print", () => this.save("svg"));
    this.item("PNG, for slides", () => this.save("png"));
    this.item("CSV, the numbers", () => this.saveNumbers());
    this.tools = make(
      "div",
      "dln-tools",
      { hidden: "" },
      this.logButton,
      this.exportButton,
      this.menu,
    );
    this.tools.onkeydown = (event) => this.menuKey(event);
    this.tools.addEventListener("focusout", (event) => {
      if (!this.tools.contains(event.relatedTarget)) this.openMenu(false, false);
    });
    this.legend = make("div", "dln-legend", { role: "group" });
    this.plot = make(
      "div",
      "dln-plot dln-painted",
      { role: "img" },
      make("div", "dln-wait", {}, "Waiting for the first record…"),
    );
    this.summary = make("p", "dln-unseen");
    this.canvas = make("canvas", "dln-canvas", { "aria-hidden": "true" });
    this.element = make(
      "section",
      "dln-card",
      { "data-panel": this.name },
      make("div", "dln-head", {}, this.title, this.tools),
      this.legend,
      this.plot,
      this.summary,
    );
    this.title.textContent = this.name
      .replaceAll("_", " ")
      .replace("/", ": ")
      .replace(/^./, (letter) => letter.toUpperCase());
    this.plot.addEventListener("pointerenter", () => {
      this.pointed = true;
      this.hover();
    });
    this.plot.addEventListener("pointermove", () => this.hover());
    this.plot.addEventListener("pointerleave", () => {
      this.pointed = false;
    });
    this.plot.addEventListener(
      "pointerdown",
      () => {
        // Axes that moved by themselves under a drag would make it mean something else.
        this.dragged = true;
        addEventListener(
          "pointerup",
          () =>
            setTimeout(() => {
              this.dragged = false;
              if (this.stale) this.layOut();
            }),
          { once: true },
        );
      },
      true,
    );
  }

  item(label, action) {
    const item = make(
      "button",
      "dln-button",
      { type: "button", role: "menuitem", tabindex: "-1" },
      label,
    );
    item.onclick = () => {
      this.openMenu(false);
      action();
    };
    this.menu.append(item);
  }

  openMenu(open, focus = true) {
    if (open === !this.menu.hidden) return;
    this.menu.hidden = !open;
    this.exportButton.setAttribute("aria-expanded", String(open));
    if (focus) (open ? this.menu.firstChild : this.exportButton).focus();
  }

  menuKey(event) {
    if (this.menu.hidden) return;
    const items = [...this.menu.children],
      at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape") this.openMenu(false);
    else if (to !== undefined) items.at(to % items.length).focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Take the description of the chart; records may be here already or come later. */
  describe(figure) {
    this.figure = figure;
    const layout = figure.layout;
    this.drawn = figure.data.map((trace, place) => ({ trace, place, meta: trace.meta }));
    this.lines = this.drawn.filter((line) => line.meta?.y !== undefined);
    for (const line of this.lines) {
      line.group = line.trace.legendgroup ?? line.trace.name;
      line.width = line.trace.line?.width ?? 2;
      line.dash = { dash: [8, 5], dot: [2, 4], dashdot: [8, 4, 2, 4] }[line.trace.line?.dash] ?? [];
      line.label = plain((line.trace.hovertemplate ?? "").split(": %{")[0]) || line.trace.name;
    }
    const title = layout.title?.text ?? this.name;
    this.title.innerHTML = marked(title);
    const label = plain(title);
    this.plot.setAttribute("aria-label", `Line chart: ${label}`);
    this.legend.setAttribute("aria-label", `Lines of: ${label}`);
    this.exportButton.setAttribute("aria-label", `Export: ${label}`);
    this.logIsDefault = layout.yaxis?.type === "log";
    this.tools.hidden = false;
    this.forget();
    this.showLog();
    this.showLegend();
  }

  /** Start observing and painting from the first record again. */
  forget() {
    this.seen = 0;
    this.age = this.view.store?.age;
    this.extent = { low: Infinity, high: -Infinity, positive: Infinity };
    for (const line of this.lines) [line.good, line.bad] = [-1, -1];
    this.painted = { key: "", rows: 0 };
    this.range = {};
  }

  get isLog() {
    return this.log ?? this.logIsDefault;
  }

  toggleLog() {
    this.log = !this.isLog;
    delete this.held.y;
    delete this.range.y;
    this.keep();
    this.showLog();
    this.layOut();
  }

  showLog() {
    this.logButton.setAttribute("aria-pressed", String(this.isLog));
    this.logButton.setAttribute(
      "aria-label",
      `Logarithmic value axis: ${plain(this.title.textContent)}`,
    );
  }

  showLegend() {
    const listed = this.lines.filter((line) => line.trace.showlegend !== false);
    const keys = listed.map((line) => {
      const key = make("button", "dln-button dln-key", {
        type: "button",
        "aria-pressed": String(!this.hidden.has(line.group)),
        title: "Show or hide",
      });
      const dashes = line.dash.map((length) => length * 0.8);
      key.innerHTML = `<svg width="26" height="8" aria-hidden="true"><line x1="1" x2="25" y1="4"
        y2="4" stroke-width="2.5" stroke="${this.color(line)}"
        stroke-dasharray="${dashes}"/></svg>`;
      key.append(plain(line.trace.name));
      key.onclick = () => {
        if (!this.hidden.delete(line.group)) this.hidden.add(line.group);
        key.setAttribute("aria-pressed", String(!this.hidden.has(line.group)));
        this.keep();
        this.layOut();
      };
      return key;
    });
    this.legend.replaceChildren(...keys);
  }

  color(line, dark = this.view.theme.dark) {
    const color = line.trace.line?.color;
    return dark ? mirrored(color) : color;
  }

  isHidden(line) {
    return this.hidden.has(line.group) || line.trace.visible === false;
  }

  // What the records span

  /** Note the extent of records that were not seen before, and where a line stops being finite. */
  observe() {
    const store = this.view.store;
    if (!store) return;
    if (this.age !== store.age) this.forget();
    for (const line of this.lines) {
      const y = store.column(line.meta.y),
        clock = store.column(`${line.meta.network}.seconds`);
      const scale = line.meta.scale ?? 1,
        extent = this.extent;
      for (let row = this.seen; row < store.count; row++) {
        const value = y[row] * scale;
        if (Number.isFinite(value)) {
          // NaN is also what a network leaves that has ended
          line.good = row;
          if (value < extent.low) extent.low = value;
          if (value > extent.high) extent.high = value;
          if (value > 0 && value < extent.positive) extent.positive = value;
        } else if (Number.isFinite(clock[row])) {
          line.bad = row;
        }
      }
    }
    this.seen = store.count;
  }

  /** Axes that show all records; while the run goes on they only grow, and by leaps. */
  ranges() {
    return {
      x: this.held.x ?? (this.range.x = this.rangeX()),
      y: this.held.y ?? (this.range.y = this.rangeY()),
    };
  }

  /** What this chart and those of the same figure span: side by side, they have one scale. */
  peers() {
    const union = { ...this.extent };
    for (const panel of this.view.panels.values()) {
      if (panel === this || !panel.figure || panel.stem !== this.stem) continue;
      panel.observe();
      union.low = Math.min(union.low, panel.extent.low);
      union.high = Math.max(union.high, panel.extent.high);
      union.positive = Math.min(union.positive, panel.extent.positive);
    }
    return union;
  }

  get stem() {
    return this.name.split("/")[0];
  }

  rangeX() {
    const reached = this.view.reach(),
      total = this.view.config?.steps;
    if (!this.view.live) return [0, reached || 1];
    const before = this.range.x?.[1] ?? 0;
    if (reached <= before) return [0, before || 1];
    if (this.lines[0]?.meta.x !== "step" || !total)
      return [0, Math.max(before, roundUp(reached * 1.3))];
    let end = total;
    while (end / 2 >= Math.max(reached, total / 32)) end /= 2;
    return [0, end];
  }

  rangeY() {
    const { low, high, positive } = this.peers(),
      given = this.figure.layout.yaxis ?? {};
    if (given.range && this.isLog === this.logIsDefault) return given.range;
    const shapes = (this.figure.layout.shapes ?? [])
      .filter((shape) => shape.yref !== "paper")
      .flatMap((shape) => [shape.y0, shape.y1])
      .filter(Number.isFinite);
    const top = Math.max(high, ...shapes);
    if (this.isLog) {
      if (!(positive < Infinity)) return [-3, 1];
      const before = this.range.y ?? [Infinity, -Infinity];
      const [least, most] = [Math.log10(positive), Math.log10(top)];
      // A decade is added whole, except for a curve that only touches its edge.
      const bottom = Math.ceil(least) - least < 0.1 ? Math.ceil(least) - 0.2 : Math.floor(least);
      const end = most - Math.floor(most) < 0.1 ? Math.floor(most) + 0.2 : Math.ceil(most);
      return [Math.min(before[0], bottom), Math.max(before[1], end)];
    }
    if (!(high > -Infinity)) return [0, 1];
    const before = this.range.y ?? [0, 0];
    const from =
      low < 0 ? -roundUp(-low * 1.05) : given.rangemode === "tozero" || low < top / 2 ? 0 : low;
    const known = high <= Math.max(...shapes) * 1.03; // where the curves are bound for
    const end = known ? top * 1.06 : top > 0 ? roundUp(top * 1.04) : 0;
    return [Math.min(before[0], from), top > before[1] ? end : before[1]];
  }

  // Plotly

  layout(forFile = false) {
    const theme = forFile ? PRINT : this.view.theme,
      given = this.figure.layout,
      ranges = this.ranges();
    const axis = (name, range) => ({
      ...given[name],
      range: [...range],
      autorange: false,
      gridcolor: theme.grid,
      zerolinecolor: theme.grid,
      zerolinewidth: 1,
      linecolor: theme.grid,
      color: theme.soft,
      automargin: true,
      nticks: 7,
      tickfont: {},
      separatethousands: true,
      minexponent: 5,
      title: { ...given[name]?.title, standoff: 10, font: { size: 13, color: theme.ink } },
    });
    const layout = {
      ...given,
      xaxis: axis("xaxis", ranges.x),
      yaxis: axis("yaxis", ranges.y),
      font: { ...given.font, family: theme.font, color: theme.ink },
      showlegend: forFile,
      hoverlabel: {
        bgcolor: theme.paper,
        font: { color: theme.ink, family: theme.font, size: 13 },
      },
      paper_bgcolor: forFile ? theme.paper : "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      autosize: !forFile,
    };
    layout.xaxis.exponentformat = "SI"; // 20,000 and 100k instead of 2×10⁴
    layout.yaxis.type = this.isLog ? "log" : "linear";
    for (const { tickfont, type } of [layout.xaxis, layout.yaxis]) {
      tickfont.size = type === "log" ? 10 : 12; // Plotly enlarges powers of ten by a quarter
    }
    if (this.isLog)
      Object.assign(layout.yaxis, { dtick: this.decades(ranges.y), nticks: undefined });
    if (this.isLog !== this.logIsDefault || this.held.y)
      for (const name of ["tickvals", "ticktext"]) delete layout.yaxis[name];
    if (!forFile) {
      layout.title = undefined;
      layout.margin = { l: 58, r: 22, t: 10, b: 44 };
    }
    for (const scene of Object.keys(given).filter((name) => name.startsWith("scene"))) {
      layout[scene] = { ...given[scene], uirevision: "camera" };
    }
    return layout;
  }

  decades([low, high]) {
    return high - low > 1 ? Math.max(1, Math.ceil((high - low) / 6)) : undefined;
  }

  /** The traces, with the records inside the shown part of the x axis. */
  traces(dark) {
    const store = this.view.store,
      [from, to] = this.ranges().x;
    const traces = this.drawn.map((line) => {
      if (!this.lines.includes(line)) return line.trace;
      const x = store?.column(line.meta.x) ?? [],
        y = store?.column(line.meta.y) ?? [];
      const end = line.good + 1,
        scale = line.meta.scale ?? 1;
      const shown = x.subarray ? x.subarray(0, end) : x;
      const start = Math.max(firstAt(shown, from) - 1, 0),
        stop = Math.min(firstAt(shown, to) + 2, end);
      const rows = thin(y, start, stop, 2 * POINTS);
      return {
        ...line.trace,
        uid: `dln${line.place}`,
        visible: !this.isHidden(line),
        showlegend: line.trace.showlegend,
        x: rows.length ? rows.map((row) => x[row]) : [null],
        y: rows.length ? rows.map((row) => y[row] * scale) : [null],
        line: { ...line.trace.line, color: this.color(line, dark) },
      };
    });
    return [...traces, this.marks()];
  }

  /** A cross where a line stopped being finite. */
  broken() {
    return this.lines.filter(
      (line) => line.bad > line.good && line.good >= 0 && !this.isHidden(line),
    );
  }

  marks() {
    const store = this.view.store,
      ends = this.broken();
    const at = (line, name) => store.column(line.meta[name])[line.good];
    return {
      type: "scatter",
      mode: "markers",
      name: "not finite from here",
      uid: "dlnmarks",
      showlegend: false,
      x: ends.length ? ends.map((line) => at(line, "x")) : [null],
      y: ends.length ? ends.map((line) => at(line, "y") * (line.meta.scale ?? 1)) : [null],
      marker: { symbol: "x", size: 9, color: FAULT },
      cliponaxis: false,
      text: ends.map((line) => line.trace.name),
      hovertemplate: "%{text}: not finite from here on<extra></extra>",
    };
  }

  /** Have Plotly draw the chart, with its lines; on the page they show once the run rests. */
  async layOut() {
    const Plotly = this.view.Plotly;
    if (!Plotly || !this.figure || !this.visible || this.dragged) {
      this.stale = true;
      return;
    }
    this.stale = false;
    this.observe();
    const first = !this.ready;
    if (first) this.plot.replaceChildren();
    this.ready = true;
    this.view.stats.reacts++;
    this.refreshed = performance.now();
    this.plot.classList.toggle("dln-painted", this.view.live);
    const config = {
      displayModeBar: false,
      doubleClick: false,
      responsive: false,
      showTips: false,
    };
    const react = first ? Plotly.newPlot : Plotly.react;
    const drawing = react(this.plot, this.traces(), this.layout(), config);
    if (first) this.listen();
    await drawing;
    this.place();
    this.paint(true);
  }

  listen() {
    this.plot.on("plotly_relayout", (change) => this.zoomed(change));
    this.plot.on("plotly_relayouting", () => this.paint(true));
    this.plot.on("plotly_doubleclick", () => {
      this.held = {};
      this.keep();
      this.layOut();
    });
  }

  /** Keep the part of an axis that the viewer chose. */
  zoomed(change) {
    if (this.own) return;
    const before = String([this.held.x, this.held.y]);
    for (const name of ["x", "y"]) {
      const from = change[`${name}axis.range[0]`] ?? change[`${name}axis.range`]?.[0];
      const to = change[`${name}axis.range[1]`] ?? change[`${name}axis.range`]?.[1];
      if (from !== undefined) this.held[name] = [+from, +to];
    }
    if (String([this.held.x, this.held.y]) === before) return;
    this.keep();
    this.layOut();
  }

  /** Grow the axes if the records need it. */
  async fit() {
    const { x, y } = this.ranges(),
      { xaxis, yaxis } = this.plot._fullLayout;
    const same = (range, axis) =>
      range.every((end, i) => Math.abs(end - axis.range[i]) <= 1e-9 * Math.abs(end));
    if (same(x, xaxis) && same(y, yaxis)) return;
    this.view.stats.reacts++;
    const change = { "xaxis.range": [...x], "yaxis.range": [...y] };
    if (this.isLog) change["yaxis.dtick"] = this.decades(y);
    this.own = true;
    try {
      await this.view.Plotly.relayout(this.plot, change);
    } finally {
      this.own = false;
    }
    this.place();
  }

  /** Put the canvas between Plotly's lines and its hover labels. */
  place() {
    const above = this.plot.querySelector(".svg-container > svg:last-of-type");
    if (above && this.canvas.nextSibling !== above) above.before(this.canvas);
    const { width, height } = this.plot._fullLayout ?? {},
      ratio = devicePixelRatio || 1;
    if (
      this.canvas.width !== Math.round(width * ratio) ||
      this.canvas.height !== Math.round(height * ratio)
    ) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      this.painted.key = "";
    }
  }

  hover() {
    if (!this.view.live || !this.ready || performance.now() - this.refreshed < HOVER_PAUSE) return;
    this.layOut();
  }

  // The canvas

  /** Draw what is new; called once a frame while the run goes on. */
  frame() {
    if (!this.visible || !this.figure) return;
    if (this.dragged) return this.paint(false);
    if (!this.ready || this.stale || this.age !== this.view.store?.age) return void this.layOut();
    this.observe();
    this.fit();
    this.paint(false);
    if (this.pointed) this.hover();
  }

  /** Paint the lines: all of them, or only their new ends where nothing else has changed. */
  paint(all) {
    const axes = this.plot._fullLayout,
      store = this.view.store;
    if (!axes?.xaxis || !store) return;
    const pen = this.canvas.getContext("2d"),
      ratio = devicePixelRatio || 1;
    if (!this.view.live) {
      pen.setTransform(1, 0, 0, 1, 0, 0);
      return pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    }
    const { xaxis, yaxis } = axes;
    const x = scale(xaxis, false),
      y = scale(yaxis, true);
    const key = [x.key, y.key, ratio, [...this.hidden], store.age, this.view.theme.dark].join();
    // Ends that are added one by one show their joints, so all is painted afresh now and then.
    const now = performance.now(),
      whole = all || key !== this.painted.key || now - this.painted.at > REPAINT;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (whole) pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.save();
    pen.beginPath();
    pen.rect(xaxis._offset, yaxis._offset - 2, xaxis._length + 2, yaxis._length + 4);
    pen.clip();
    pen.lineJoin = "round";
    for (let place = this.lines.length - 1; place >= 0; place--) {
      const line = this.lines[place];
      if (!this.isHidden(line)) this.stroke(pen, line, x, y, whole ? 0 : this.painted.rows);
    }
    for (const line of this.broken()) {
      const factor = line.meta.scale ?? 1;
      cross(
        pen,
        x(store.column(line.meta.x)[line.good]),
        y(store.column(line.meta.y)[line.good] * factor),
      );
    }
    pen.restore();
    this.painted = { key, rows: store.count, at: whole ? now : this.painted.at };
  }

  stroke(pen, line, x, y, from) {
    const store = this.view.store,
      xs = store.column(line.meta.x),
      ys = store.column(line.meta.y);
    const factor = line.meta.scale ?? 1;
    if (from === 0) line.pen = { x: NaN, y: NaN, run: 0 };
    const at = line.pen;
    pen.strokeStyle = this.color(line);
    pen.lineWidth = line.width;
    pen.lineCap = line.dash.length ? "butt" : "round";
    pen.setLineDash(line.dash);
    pen.lineDashOffset = at.run; // dashes go on where they ended
    pen.beginPath();
    if (Number.isFinite(at.x + at.y)) pen.moveTo(at.x, at.y);
    for (const row of thin(ys, from, store.count, POINTS)) {
      const px = x(xs[row]),
        py = y(ys[row] * factor);
      const joined = Number.isFinite(at.x + at.y),
        drawn = Number.isFinite(px + py);
      if (drawn && joined) pen.lineTo(px, py);
      else if (drawn) pen.moveTo(px, py);
      if (drawn && joined && line.dash.length) at.run += Math.hypot(px - at.x, py - at.y);
      [at.x, at.y] = [px, py];
    }
    pen.stroke();
  }

  // Words and files

  summarise() {
    const store = this.view.store;
    if (!store?.count || !this.figure) return;
    this.observe();
    const first = new Map();
    for (const line of this.lines) {
      const found = first.get(line.meta.network);
      if (found) found.more++;
      else if (line.good >= 0) first.set(line.meta.network, { line, more: 0 });
    }
    const said = [...first].map(([network, { line, more }]) => {
      const y = store.column(line.meta.y),
        factor = line.meta.scale ?? 1;
      const others = more ? ` and ${more} more lines` : "";
      const label = line.label.includes(network) ? line.label : `${network}, ${line.label}`;
      const end = line.bad > line.good ? ", then not finite" : "";
      const [from, to] = [brief(y[0] * factor), brief(y[line.good] * factor)];
      return `${label}: from ${from} to ${to}${end}${others}.`;
    });
    this.summary.textContent = said.join(" ");
  }

  get file() {
    return `${this.name.replaceAll("/", "-")}_${this.view.data.run}`;
  }

  async save(format) {
    const Plotly = this.view.Plotly;
    this.observe();
    const layout = this.layout(true),
      size = { width: 900, height: 560 };
    Object.assign(layout, size, { margin: { l: 80, r: 24, t: 64, b: 64 } });
    const url = await Plotly.toImage(
      { data: this.traces(false), layout, config: {} },
      { format, scale: format === "png" ? 3 : 1, ...size },
    );
    download(url, `${this.file}.${format}`);
  }

  saveNumbers() {
    const query = new URLSearchParams({ panels: this.name });
    download(`/api/runs/${this.view.data.run}/records.csv?${query}`, `${this.file}.csv`);
  }

  leave() {
    if (this.ready) this.view.Plotly?.purge(this.plot);
  }
}

const FAULT = "#d1453b";
const PRINT = {
  dark: false,
  ink: "#1f2430",
  soft: "#3d4453",
  grid: "#e3e5ea",
  paper: "#ffffff",
  font: "Arial, sans-serif",
};

function download(url, name) {
  const link = make("a", "", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** From a value to a pixel, by the geometry of one of Plotly's axes. */
function scale(axis, down) {
  const { _offset: offset, _length: length, type } = axis,
    [from, to] = axis.range.map(Number);
  const unit = length / (to - from),
    start = down ? offset + length : offset,
    sign = down ? -unit : unit;
  const map =
    type === "log"
      ? (value) => start + sign * (Math.log10(value) - from)
      : (value) => start + sign * (value - from);
  map.key = [offset, length, type, from, to].join("/");
  return map;
}

function cross(pen, x, y) {
  pen.setLineDash([]);
  pen.strokeStyle = FAULT;
  pen.lineWidth = 2.5;
  pen.beginPath();
  for (const slope of [-1, 1]) {
    pen.moveTo(x - 5, y - 5 * slope);
    pen.lineTo(x + 5, y + 5 * slope);
  }
  pen.stroke();
}

// All charts of a run ---------------------------------------------------------------------------

class View {
  constructor(parent) {
    this.parent = parent;
    this.stats = { frames: 0, busyMs: 0, bytes: 0, messages: 0, reacts: 0, records: 0 };
    this.panels = new Map();
    this.data = {};
    this.build();
    this.sights = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "80px" });
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.grid);
    this.onVisibility = () => {
      this.say(document.hidden ? "hidden" : "visible");
      this.schedule();
    };
    document.addEventListener("visibilitychange", this.onVisibility);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.onScheme = () => setTimeout(() => this.readTheme(), 300);
    this.scheme.addEventListener("change", this.onScheme);
  }

  build() {
    this.dot = make("span", "dln-dot");
    this.phaseWord = make("span");
    this.progress = make("span", "dln-fact dln-steps");
    this.rate = make("span", "dln-fact");
    this.left = make("span", "dln-fact");
    this.machine = make("span", "dln-fact dln-machine");
    this.message = make("p", "dln-message");
    this.fill = make("div");
    this.bar = make(
      "div",
      "dln-bar",
      { role: "progressbar", "aria-label": "Steps trained", "aria-valuemin": "0" },
      this.fill,
    );
    this.strip = make(
      "div",
      "dln-strip",
      { role: "group", "aria-label": "Status of the run" },
      make(
        "div",
        "dln-line",
        {},
        make("span", "dln-phase", { role: "status" }, this.dot, this.phaseWord),
        this.progress,
        this.rate,
        this.left,
        this.machine,
      ),
      this.message,
      this.bar,
    );
    this.grid = make("div", "dln-grid");
    this.root = make("div", "dln", {}, make("style", "", {}, STYLE), this.strip, this.grid);
    this.root.dlnStats = this.stats; // for tests and measurements
    this.parent.append(this.root);
  }

  get live() {
    return ["running", "queued"].includes(this.status?.phase);
  }

  // What the page asks for

  update(data, notify) {
    clearTimeout(this.leaving);
    this.notify = notify;
    const before = this.data,
      other = data.run !== before.run;
    const panels = String(data.panels) !== String(before.panels);
    this.data = data;
    this.known = data.phase ?? (other ? undefined : this.known);
    this.readTheme();
    if (other) this.status = this.config = this.final = null;
    if (other) for (const panel of this.panels.values()) panel.held = {};
    if (other || panels) {
      this.arrange();
      this.store = null;
      this.loadFigures();
      this.connect();
    } else if (data.versus !== before.versus) {
      for (const panel of this.panels.values()) delete panel.held.x;
      this.loadFigures();
    }
    this.showStatus();
    loadPlotly(data.plotly).then(
      (Plotly) => {
        if (this.Plotly) return;
        this.Plotly = Plotly;
        for (const panel of this.panels.values()) panel.layOut();
      },
      (error) => this.fail(error.message),
    );
  }

  /** The cards in the order asked for; those of before keep all that was chosen in them. */
  arrange() {
    for (const [name, panel] of this.panels) {
      if (this.data.panels.includes(name)) continue;
      panel.leave();
      this.sights.unobserve(panel.element);
      this.panels.delete(name);
    }
    for (const name of this.data.panels) {
      if (this.panels.has(name)) continue;
      const panel = new Panel(this, name);
      this.panels.set(name, panel);
      this.sights.observe(panel.element);
    }
    this.grid.replaceChildren(...this.data.panels.map((name) => this.panels.get(name).element));
    this.grid.toggleAttribute("data-many", this.data.panels.length > 1);
  }

  /** How far the records go along the x axis that is shown, on the charts together. */
  reach() {
    const store = this.store,
      names = new Set();
    for (const panel of this.panels.values())
      for (const line of panel.lines) names.add(line.meta.x);
    let end = 0;
    for (const name of store ? names : []) {
      const x = store.column(name);
      let row = x.length - 1;
      while (row > 0 && !Number.isFinite(x[row])) row--; // one may end early
      if (x[row] > end) end = x[row];
    }
    return end;
  }

  seen(entries) {
    for (const entry of entries) {
      const panel = this.panels.get(entry.target.dataset.panel);
      if (!panel) continue;
      panel.visible = entry.isIntersecting;
      if (panel.visible && (panel.stale || !panel.ready)) panel.layOut();
      else if (panel.visible) this.schedule();
    }
  }

  resized() {
    clearTimeout(this.resizing);
    const width = this.grid.clientWidth;
    if (width === this.width) return;
    this.width = width;
    this.resizing = setTimeout(() => this.relayAll(), 60);
  }

  relayAll() {
    for (const panel of this.panels.values()) if (panel.figure) panel.layOut();
  }

  readTheme() {
    const style = getComputedStyle(this.root),
      read = (name, other) => style.getPropertyValue(name).trim() || other;
    const ink = read("--st-text-color", "#31333f"),
      paper = read("--st-background-color", "#ffffff");
    const font = read("--st-font", "sans-serif"),
      key = [ink, paper, font].join();
    if (key === this.theme?.key) return;
    const probe = make("canvas", "", { width: 1, height: 1 }).getContext("2d", {
      willReadFrequently: true,
    });
    const rgb = (color) => {
      probe.fillStyle = color;
      probe.fillRect(0, 0, 1, 1);
      return probe.getImageData(0, 0, 1, 1).data;
    };
    const [r, g, b] = rgb(ink),
      [br, bg, bb] = rgb(paper);
    const tint = (share) => `rgba(${r},${g},${b},${share})`;
    this.theme = {
      key,
      ink,
      paper,
      font,
      soft: tint(0.72),
      grid: tint(0.12),
      dark: br + bg + bb < 384,
    };
    for (const panel of this.panels.values()) if (panel.figure) panel.showLegend();
    this.relayAll();
  }

  async loadFigures() {
    const { run, panels, versus } = this.data,
      asked = (this.asked = {});
    const query = new URLSearchParams({ panels: String(panels), versus });
    try {
      const answer = await fetch(`/api/runs/${run}/figures?${query}`);
      const content = await answer.json();
      if (asked !== this.asked) return;
      if (content.error) return this.fail(content.error);
      this.describe(content.figures);
    } catch {
      if (asked === this.asked) setTimeout(() => asked === this.asked && this.loadFigures(), 1500);
    }
  }

  describe(figures) {
    if (!figures.length) return; // not yet: asked again after the hello
    const found = new Map(figures.map(({ panel, figure }) => [panel, figure]));
    for (const [name, panel] of this.panels) {
      panel.element.hidden = !found.has(name);
      panel.element.style.display = found.has(name) ? "" : "none";
      if (found.has(name)) panel.describe(found.get(name));
    }
    this.relayAll();
    this.schedule();
  }

  // The stream

  connect() {
    clearTimeout(this.retry);
    this.socket?.close();
    const address = new URL(`/api/runs/${this.data.run}/stream`, location.origin);
    address.protocol = location.protocol.replace("http", "ws");
    address.search = new URLSearchParams({
      panels: String(this.data.panels),
      since: this.store?.position ?? 0,
      rows: this.store?.count ?? 0,
      created: this.store ? (this.status?.created ?? "") : "",
    });
    const socket = (this.socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    this.pending = 0;
    socket.onopen = () => document.hidden && this.say("hidden");
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      const start = performance.now();
      this.stats.messages++;
      this.stats.bytes += data.length ?? data.byteLength;
      if (typeof data === "string") this.hear(JSON.parse(data));
      else this.take(data);
      this.stats.busyMs += performance.now() - start;
    };
    socket.onclose = () => {
      if (socket !== this.socket || this.final || this.gone) return;
      this.lost = true;
      this.wait = Math.min((this.wait ?? 250) * 2, LONGEST_WAIT);
      this.showStatus();
      this.retry = setTimeout(() => this.connect(), this.wait * (0.75 + Math.random() / 2));
    };
  }

  say(word) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(word);
  }

  hear(message) {
    if (message.error) return this.fail(message.error);
    this.lost = false;
    this.wait = undefined;
    if (message.hello) {
      this.config = message.config;
      if (String(this.store?.names) !== String(message.columns))
        this.store = new Store(message.columns);
      if (
        ![...this.panels.values()].some((panel) => panel.figure) ||
        this.status?.created !== message.status.created
      )
        this.loadFigures();
    }
    if (message.status) this.setStatus(message.status);
  }

  setStatus(status) {
    const wasLive = this.live;
    this.status = status;
    if (this.known !== status.phase) {
      this.known = status.phase;
      this.notify?.("phase", status.phase);
    }
    if (wasLive !== this.live) this.relayAll();
    this.showStatus();
    this.summarise(!this.live);
  }

  take(buffer) {
    if (!this.store?.take(buffer)) {
      this.store = null;
      return this.connect();
    }
    this.pending++;
    this.schedule();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    const frame = () => {
      this.scheduled = false;
      this.frame();
    };
    if (document.hidden)
      setTimeout(frame, 0); // no frames are drawn in a hidden tab
    else requestAnimationFrame(frame);
  }

  frame() {
    if (this.gone) return;
    const start = performance.now();
    if (!document.hidden && this.Plotly) {
      for (const panel of this.panels.values()) this.live ? panel.frame() : panel.layOut();
      this.stats.frames += this.pending > 0;
    }
    this.stats.records = this.store?.position ?? 0;
    for (; this.pending > 0; this.pending--) this.say("drawn");
    if (start - (this.shown ?? 0) > STRIP_PAUSE) this.showStatus();
    this.summarise(!this.live);
    this.stats.busyMs += performance.now() - start;
  }

  summarise(now) {
    const time = performance.now();
    if (!now && time - (this.summarised ?? 0) < SUMMARY_PAUSE) return;
    this.summarised = time;
    for (const panel of this.panels.values()) panel.summarise();
  }

  // The strip

  fail(sentence) {
    this.final = sentence;
    this.socket?.close();
    this.showStatus();
  }

  showStatus() {
    this.shown = performance.now();
    const status = this.status,
      [word, tone] = PHASES[status?.phase] ?? ["Connecting", "still"];
    const trouble = this.final
      ? "Not available"
      : this.lost
        ? "Connection lost, trying again…"
        : null;
    text(this.phaseWord, trouble ?? word);
    this.dot.dataset.tone = trouble ? "bad" : tone;
    const total = this.config?.steps,
      reached = this.store?.last("step");
    const step = Math.max(status?.step ?? 0, Number.isFinite(reached) ? reached : 0);
    const running = status?.phase === "running" && !trouble;
    text(this.progress, status && total ? `step ${number(step)} of ${number(total)}` : "");
    text(this.rate, running && status.rate > 0 ? `${number(status.rate)} steps/s` : "");
    text(
      this.left,
      running && status.rate > 0 ? `at most ${duration((total - step) / status.rate)} left` : "",
    );
    text(this.machine, status?.machine ?? "");
    text(this.message, this.final ?? this.words(status));
    const part = total ? Math.min(step / total, 1) : 0;
    const share = status?.phase === "done" ? 1 : part; // a run may be done before its last step
    this.fill.style.transform = `scaleX(${share})`;
    this.bar.setAttribute("aria-valuenow", String(step));
    if (total) this.bar.setAttribute("aria-valuemax", String(total));
  }

  words(status) {
    if (!status) return "";
    if (status.phase === "queued") {
      const ahead = status.position;
      if (ahead === null || ahead === undefined) return status.message || "Starting…";
      return ahead
        ? `${ahead === 1 ? "One run goes" : `${ahead} runs go`} first.`
        : "Next in line.";
    }
    const ends = Object.entries(status.outcomes ?? {})
      .filter(([, outcome]) => outcome && !status.message.includes(outcome))
      .map(([network, outcome]) => `${network}: ${outcome}`);
    const spoken =
      status.message || (ends.length || status.phase === "running" ? "" : status.words);
    return [spoken, ...ends]
      .filter(Boolean)
      .join(" · ")
      .replace(/^./, (letter) => letter.toUpperCase());
  }

  // The end

  leaveSoon() {
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => this.parent.isConnected || this.leave(), GRACE);
  }

  leave() {
    this.gone = true;
    clearTimeout(this.retry);
    this.socket?.close();
    this.sights.disconnect();
    this.sizes.disconnect();
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.scheme.removeEventListener("change", this.onScheme);
    for (const panel of this.panels.values()) panel.leave();
    this.root.remove();
    mounted.delete(this.parent);
  }
}

function text(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

const mounted = new WeakMap();

/** Streamlit calls this when the charts appear and again at every rerun of the script. */
export function mount({ data, parentElement, setTriggerValue }) {
  let view = mounted.get(parentElement);
  if (!view) mounted.set(parentElement, (view = new View(parentElement)));
  view.update(data, setTriggerValue);
  return () => view.leaveSoon();
}
