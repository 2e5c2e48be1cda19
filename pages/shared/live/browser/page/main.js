// Live charts: the page names a run and panels, the run brings figures and records, the panels draw
// them, and the strip shows the run's status.

import { make } from "../base/dom.js";
import { loadPlotly, loadStyle } from "../base/library.js";
import { know } from "../base/memory.js";
import { readTheme, toned } from "../base/theme.js";
import { Run } from "../run/run.js";
import { Maps } from "../panel/maps.js";
import { Matrix } from "../panel/matrix.js";
import { Panel } from "../panel/panel.js";
import { Picture } from "../panel/picture.js";
import { Scatter } from "../panel/scatter.js";
import { Surface } from "../panel/surface.js";
import { Cursor } from "./cursor.js";
import { Keys } from "./keys.js";
import { Modes } from "./modes.js";
import { Origin } from "./origin.js";
import { Sheet } from "./sheet.js";
import { Strip } from "./strip.js";
import { Tabs } from "./tabs.js";
import { Transport } from "./transport.js";

// Panels of any other kind draw lines.
const KINDS = {
  map: Maps,
  matrix: Matrix,
  picture: Picture,
  scatter: Scatter,
  surface: Surface,
};
const GRACE = 500; // ms out of the document after which the charts are removed
const THEME_PAUSE = 300; // ms that Streamlit takes to change its theme
const RESIZE_PAUSE = 60; // ms
const LONG = 60; // ms of a frame after which Plotly's remaining charts wait for the next frame
const STRIP_PAUSE = 200; // ms between two updates of the status strip
const SUMMARY_PAUSE = 2000; // ms between two updates of the text alternatives

class View {
  constructor(parent) {
    this.parent = parent;
    this.end = new AbortController();
    this.ended = this.end.signal; // removes all listeners
    this.panels = [];
    this.run = new Run(this);
    const skip = () => (this.cursor.stop(), this.cursor.follow());
    this.least = 1; // the first place on a logarithmic time axis
    this.strip = new Strip((step) => this.cursor.seek(step), skip);
    this.ahead = false; // whether a replay shows faintly what it has not reached
    this.before = false; // whether the page asked for a replay of what was computed before
    this.cursor = new Cursor(this);
    this.modes = new Modes(this);
    this.transport = new Transport(this);
    this.tabs = new Tabs(this);
    const keys = (this.keys = new Keys(this));
    this.sheet = new Sheet();
    this.grid = make("div", "dln-grid");
    const { strip, transport, tabs } = this;
    const parts = [strip, transport, tabs].map(({ element }) => element);
    this.root = make("div", "dln", {}, ...parts, this.grid, keys.help, this.sheet.element);
    this.libraries = {}; // the loaded parts of plotly.js
    this.stats = this.root.dlnStats = { frames: 0, busyMs: 0, bytes: 0, records: 0 }; // for tests
    parent.append(this.root);
    this.watch();
  }

  watch() {
    const options = { signal: this.ended };
    const shown = () => {
      this.run.connection.say(document.hidden ? "hidden" : "visible");
      this.schedule();
    };
    document.addEventListener("visibilitychange", shown, options);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => setTimeout(() => this.wear(), THEME_PAUSE), options);
    this.sights = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "80px" });
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.grid);
    this.plots = new ResizeObserver((entries) => this.refit(entries));
  }

  /** The panels that have something to draw. */
  get shown() {
    return this.panels.filter((panel) => panel.figure && !panel.element.hidden);
  }

  /** Take the page's request, which is most often unchanged. */
  update(data, notify, keep) {
    clearTimeout(this.leaving);
    Object.assign(this, { notify, keep });
    const before = this.data ?? {};
    const differs = (name) => String(data[name]) !== String(before[name]);
    this.data = data;
    if (data.known) know(data.known);
    this.wear();
    this.known = data.phase ?? (differs("run") ? null : this.known);
    if (differs("panels")) this.arrange();
    if (before.run && differs("run")) for (const panel of this.panels) panel.held = {};
    if (before.run && differs("versus")) for (const panel of this.panels) delete panel.held.x;
    const gone = this.run.failure ?? this.run.refusal;
    const back = gone && data.phase; // a run that was deleted is trained again
    if (differs("run") || differs("panels") || back) this.run.follow(data, differs("run") || back);
    else if (differs("versus") || differs("theory")) this.run.describeAs(data);
    if (differs("run") || differs("panels") || differs("beside")) this.followOrigin(data);
    if (differs("run")) this.cursor.adopt(data.at);
    if (differs("run")) this.modes.adopt(data.mode);
    if (data.replay && differs("replay")) this.waiting = true;
    this.load("basic");
  }

  /** Follow the run that the shown one was forked from, if any. */
  followOrigin({ beside, panels, versus, theory }) {
    this.origin?.leave();
    this.origin = null;
    if (!beside) return;
    const [run, step] = beside;
    this.origin = new Origin(step, () => this.redraw());
    this.origin.follow({ run, panels, versus, theory }, true);
  }

  /** Load a part of plotly.js, once. */
  async load(part) {
    if (this.libraries[part]) return;
    try {
      this.libraries[part] = await loadPlotly(new Map(this.data.plotly).get(part));
      this.schedule();
    } catch (error) {
      this.run.fail(error.message);
    }
  }

  /** Show the panels in the order of the request; cards that stay keep the viewer's choices. */
  arrange() {
    const before = new Map(this.panels.map((panel) => [panel.name, panel]));
    this.panels = this.data.panels.map((name) => before.get(name) ?? this.panel(name));
    for (const panel of before.values()) if (!this.panels.includes(panel)) panel.leave();
    this.sights.disconnect();
    this.plots.disconnect();
    for (const { plot } of this.panels) this.plots.observe(plot);
    this.grid.replaceChildren(...this.panels.map(({ element }) => element));
    this.grid.toggleAttribute("data-many", this.panels.length > 1);
    for (const { element } of this.panels) this.sights.observe(element);
    this.fit();
  }

  /** Tell the page's style how many rows of charts are seen at once. */
  fit() {
    const shown = this.panels.filter(({ element }) => !element.hidden).length;
    this.grid.style.setProperty("--rows", shown > 2 ? 2 : 1);
    this.pair();
    this.tabs.show();
  }

  /** Keep the panels of one chart in a row; one beside which none stands fills its row. */
  pair() {
    const stem = ({ name }) => name.split("/")[0];
    const shown = this.panels.filter(({ element }) => !element.hidden);
    const rows = [];
    let open = null; // a row with room for one more
    for (const [, group] of Map.groupBy(shown, stem)) {
      const cards = group.map(({ element }) => element);
      const isWide = ({ classList }) => classList.contains("dln-wide");
      rows.push(...cards.filter(isWide).map((card) => [card]));
      const narrow = cards.filter((card) => !isWide(card));
      const last = narrow.length % 2 ? narrow.pop() : null;
      for (let at = 0; at < narrow.length; at += 2) rows.push(narrow.slice(at, at + 2));
      if (last && open) open.push(last);
      else if (last) rows.push([last]);
      if (last) open = open ? null : rows.at(-1);
    }
    for (const [place, card] of rows.flat().entries()) card.style.order = place;
    for (const row of rows) row[0].toggleAttribute("data-whole", row.length === 1);
    for (const [, second] of rows) second?.toggleAttribute("data-whole", false);
  }

  panel(name) {
    const kind = this.data.kinds.find(([figure]) => figure === name.split("/")[0])?.[1];
    const Kind = KINDS[kind] ?? Panel;
    return new Kind(this, name);
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const panel = this.panels.find(({ element }) => element === target);
      if (panel) panel.visible = isIntersecting;
    }
    this.schedule();
  }

  resized() {
    clearTimeout(this.resizing);
    const { clientWidth: width, clientHeight: height } = this.grid;
    const before = this.size;
    this.size = `${width} × ${height}`;
    if (before && this.size !== before) this.resizing = setTimeout(() => this.redraw(), RESIZE_PAUSE);
  }

  /** Lay out the charts whose cards have more or fewer words than before. */
  refit(entries) {
    for (const { target } of entries) {
      const panel = this.panels.find(({ plot }) => plot === target);
      const { width, height } = target._fullLayout ?? {};
      const fits = width === target.clientWidth && height === target.clientHeight;
      if (panel?.ready && width && !fits) panel.redraw();
    }
  }

  /** Adopt Streamlit's theme. */
  wear() {
    const theme = readTheme(this.root);
    if (theme.key === this.theme?.key) return;
    this.theme = toned(theme);
    for (const panel of this.shown) panel.card.showLegend();
    this.redraw();
  }

  // What the run calls

  describe(figures) {
    const byPanel = new Map(figures.map((each) => [each.panel, each]));
    for (const panel of this.panels) {
      const { figure, lack } = byPanel.get(panel.name) ?? {};
      panel.element.hidden = !figure && !lack;
      if (figure) panel.describe(figure);
      else panel.lacks(lack);
    }
    this.fit();
    this.schedule();
  }

  restart() {
    for (const panel of this.panels) panel.forget();
  }

  /** The run has new columns: the page's script may have charts for them. */
  greeted({ created, phase }) {
    const { created: known } = this.data;
    if (typeof known === "string" && known !== created) this.notify("phase", phase);
  }

  changed(rested) {
    const phase = this.run.status?.phase;
    if (phase && phase !== this.known) this.notify("phase", (this.known = phase));
    if (rested) this.redraw();
    this.showStatus();
    this.summarise();
  }

  /** Play the whole run, which was computed before it was asked for. */
  replay() {
    this.waiting = false;
    if (this.cursor.last < 1) return;
    this.before = true;
    this.cursor.goTo(0);
    this.cursor.play();
  }

  /** Show the list of keys, or close it. */
  askKeys() {
    this.keys.ask();
  }

  /** Show or hide what a replay has not reached. */
  look() {
    this.ahead = !this.ahead;
    this.showCursor();
  }

  // Drawing

  redraw() {
    for (const panel of this.panels) panel.stale = true;
    this.schedule();
  }

  /** Draw at the browser's next frame, once for any number of calls. */
  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    // A hidden tab draws no frames, yet it must acknowledge its records.
    if (document.hidden) setTimeout(() => this.frame());
    else requestAnimationFrame(() => this.frame());
  }

  frame() {
    this.scheduled = false;
    if (this.ended.aborted) return;
    const start = performance.now();
    const { connection, live, received, status, store } = this.run;
    this.stats.frames += connection.owed > 0;
    if (!document.hidden) this.draw(start);
    if (this.waiting && !live && status && store?.last("step") >= status.step) this.replay();
    connection.acknowledge();
    const wait = this.run.live ? STRIP_PAUSE - (start - this.told) : 0;
    // The last records before a pause also need a status, and perhaps no frame follows them.
    if (wait <= 0) this.showStatus();
    else this.telling ??= setTimeout(() => this.showStatus(), wait);
    this.summarise();
    Object.assign(this.stats, { records: store?.position ?? 0, bytes: received });
    this.stats.busyMs += performance.now() - start;
  }

  /** Show new records in all panels; Plotly draws as many panels as keep the page responsive. */
  draw(start) {
    this.reach = this.reached();
    const due = this.shown.filter((panel) => panel.due);
    for (const panel of this.shown) if (!due.includes(panel)) panel.frame();
    do due.shift()?.layOut();
    while (due.length && performance.now() - start < LONG);
    if (due.length) this.schedule();
  }

  /** The end of the records on the x axis, over all charts. */
  reached() {
    const lines = this.shown.flatMap((panel) => panel.lines);
    const clocks = new Map(lines.map((line) => [line.clock, line]));
    const stores = [this.run.store, this.origin?.store].filter((store) => store?.count);
    const starts = ({ meta }) => (meta.least === "first" ? stores[0]?.least(meta.x) : meta.least);
    const least = Math.min(...[...clocks.values()].map(starts).filter((value) => value > 0));
    this.least = Number.isFinite(least) ? least : 1;
    const ends = ({ meta, unit }) => stores.map((store) => (store.end(meta.x) || 0) / unit);
    return Math.max(0, ...[...clocks.values()].flatMap(ends));
  }

  showStatus() {
    this.telling = clearTimeout(this.telling);
    this.told = performance.now();
    this.strip.show(this.run);
    this.transport.show();
  }

  /** The cursor has moved. */
  showCursor() {
    for (const panel of this.shown) panel.showCursor();
    this.transport.show();
  }

  summarise() {
    const now = performance.now();
    const { store, live } = this.run;
    if (!store?.count || (live && now - this.summarised < SUMMARY_PAUSE)) return;
    this.summarised = now;
    for (const panel of this.shown) panel.summarise();
    this.transport.mark();
  }

  // The end

  leaveSoon() {
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => this.parent.isConnected || this.leave(), GRACE);
  }

  leave() {
    this.end.abort();
    clearTimeout(this.telling);
    this.run.leave();
    this.origin?.leave();
    this.cursor.leave();
    this.sights.disconnect();
    this.sizes.disconnect();
    this.plots.disconnect();
    for (const panel of this.panels) panel.leave();
    this.root.remove();
    views.delete(this.parent);
  }
}

const views = new WeakMap(); // each view by Streamlit's element

await loadStyle(); // without it, charts would measure themselves wrongly

/** Streamlit calls this when the charts appear, and after each run of the script. */
export function mount({ data, parentElement, setTriggerValue, setStateValue }) {
  if (!views.has(parentElement)) views.set(parentElement, new View(parentElement));
  const view = views.get(parentElement);
  view.update(data, setTriggerValue, setStateValue);
  return () => view.leaveSoon();
}
