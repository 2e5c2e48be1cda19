// Maps: heat maps at the cursor, painted on canvases. One cell of a map is one pixel, which the
// browser enlarges. A trace's `meta` names the network of its map and says whether the goal is
// subtracted. The cells of a step are fetched when the cursor reaches it.

import { API } from "../base/api.js";
import { download, make, write } from "../base/dom.js";
import { halves } from "../base/float16.js";
import { mirrored, rgb } from "../base/theme.js";
import { brief, marked, plain, whole } from "../base/words.js";
import { Panel } from "./panel.js";

const PAUSE = 100; // ms between two requests while the charts follow a run

export class Maps extends Panel {
  constructor(view, name) {
    super(view, name);
    this.element.classList.add("dln-wide");
    this.plot.className = "dln-maps";
    this.card.log.hidden = true;
  }

  /** Make a tile for each trace of the description. */
  describe(figure) {
    this.figure = figure;
    this.card.name(figure.layout.title.text);
    this.plot.setAttribute("aria-label", `Heat maps: ${plain(figure.layout.title.text)}`);
    this.card.explain(figure.layout.meta.note);
    this.goal = figure.data.find(({ meta }) => !meta).z;
    this.size = [this.goal.length, this.goal[0].length];
    this.tiles = figure.data.map((trace) => this.tile(trace));
    this.under = make("p", "dln-cell");
    const tiles = make("div", "dln-tiles", {}, ...this.tiles.map(({ element }) => element));
    this.plot.replaceChildren(tiles, this.key(), this.under);
    this.forget();
  }

  tile(trace) {
    const [height, width] = this.size;
    const canvas = make("canvas", "", { height, width, "aria-hidden": "true" });
    const element = make("figure", "", {}, make("figcaption", "", {}, trace.name), canvas);
    const tile = { trace, canvas, element, z: trace.meta ? null : this.goal };
    canvas.onpointermove = (event) => this.point(tile, event);
    canvas.onpointerleave = () => write(this.under, "");
    return tile;
  }

  /** The colour scale with the values at its ends. */
  key() {
    const end = brief(this.limit);
    this.bar = make("i");
    const parts = [`−${end}`, this.bar, `+${end}`];
    return make("div", "dln-scale", { title: "Value of a cell; zero is blank" }, ...parts);
  }

  get limit() {
    return this.figure.layout.coloraxis.cmax;
  }

  /** Drop the cells that are shown. */
  forget() {
    this.cells = null;
    this.at = undefined; // step of the cells
    this.asked = undefined; // step of the last request
    this.wanted = undefined; // step of the cursor
    this.stale = true;
  }

  // Following the cursor

  get due() {
    return false; // Plotly has nothing to draw
  }

  frame() {
    this.follow();
  }

  showCursor() {
    this.follow();
  }

  /** Fetch the map at the cursor; one request at a time, the newest step wins. */
  async follow() {
    const { run, view } = this;
    if (!this.visible || !this.figure || !run.store?.count) return;
    if (this.stale) this.paint();
    this.wanted = view.cursor.on ? view.cursor.step : run.store.end("step");
    if (this.asking || this.wanted === this.asked) return;
    const asked = (this.asked = this.wanted);
    const { key } = run;
    const { figure } = this;
    this.asking = true;
    try {
      const answer = await fetch(`${API}runs/${key}/maps?step=${asked}`);
      const buffer = answer.ok ? await answer.arrayBuffer() : null;
      if (figure === this.figure && key === run.key && buffer?.byteLength) this.take(buffer);
    } catch {
      this.asked = undefined; // when the connection retries, the next frame asks again
    }
    if (!view.cursor.on) await new Promise((done) => setTimeout(done, PAUSE));
    this.asking = false;
    if (this.wanted !== this.asked && !view.ended.aborted) this.follow();
  }

  /** Take a row of the run's maps.f2: the step, then the cells of every network. */
  take(buffer) {
    [this.at] = new Float64Array(buffer.slice(0, 8));
    this.cells = halves(new Uint16Array(buffer, 8));
    const [height, width] = this.size;
    for (const tile of this.tiles) {
      if (!tile.trace.meta) continue;
      const { map, minus } = tile.trace.meta;
      const from = map * height * width;
      tile.z = this.goal.map((row, y) =>
        row.map((goal, x) => this.cells[from + y * width + x] - (minus ? (goal ?? NaN) : 0)),
      );
    }
    this.paint();
  }

  // Painting

  paint() {
    const { theme } = this.view;
    if (!theme || !this.tiles) return;
    this.stale = false;
    const scale = this.figure.layout.coloraxis.colorscale;
    const ends = [scale[0][1], scale.at(-1)[1]].map((end) => (theme.dark ? mirrored(end) : end));
    const colors = ramp(...ends, theme.dark ? theme.paper : "#ffffff");
    this.bar.style.background = `linear-gradient(90deg, ${[0, 128, 255].map(colors.css)})`;
    for (const tile of this.tiles) if (tile.z) this.fill(tile, colors);
    const title = this.figure.layout.title.text;
    this.card.title.innerHTML = marked(this.title(title));
  }

  title(base) {
    return this.at === undefined ? base : `${base} at step ${whole(this.at)}`;
  }

  fill({ canvas, z }, colors) {
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(canvas.width, canvas.height);
    let place = 0;
    for (const row of z) {
      for (const value of row) {
        image.data.set(colors.at(value, this.limit), place);
        place += 4;
      }
    }
    pen.putImageData(image, 0, 0);
  }

  /** Show the value under the pointer in words. */
  point({ trace, canvas, z }, event) {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * canvas.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * canvas.height);
    const value = z?.[y]?.[x];
    if (value === undefined) return;
    const words = Number.isFinite(value) ? brief(value) : "not known";
    write(this.under, `${trace.name}, row ${y + 1}, column ${x + 1} of the map: ${words}`);
  }

  redraw() {
    this.stale = true;
    this.view.schedule();
  }

  summarise() {
    const differences = this.tiles.filter(({ trace, z }) => trace.meta?.minus && z);
    const sentences = differences.map(({ trace, z }) => {
      const most = Math.max(...z.flat().map((value) => Math.abs(value) || 0));
      return `${trace.name}: at most ${brief(most)} in a cell.`;
    });
    write(this.card.words, sentences.join(" "));
  }

  // Files

  /** Save the cells that are shown as CSV. */
  saveNumbers(name) {
    const lines = this.tiles.flatMap(({ trace: { name }, z }) =>
      (z ?? []).flatMap((row, y) => row.map((value, x) => [name, y + 1, x + 1, value].join())),
    );
    const text = `map,row,column,value\n${lines.join("\n")}\n`;
    download(URL.createObjectURL(new Blob([text], { type: "text/csv" })), `${name}.csv`);
  }

  leave() {}
}

/** 256 colours between two ends, `middle` at zero; grey for NaN. */
function ramp(first, last, middle) {
  const [low, half, high] = [first, middle, last].map(rgb);
  const between = (one, other, share) => one.map((part, i) => part + (other[i] - part) * share);
  const table = Array.from({ length: 256 }, (_, at) => {
    const share = at / 127.5;
    return [...(share < 1 ? between(low, half, share) : between(half, high, share - 1)), 255];
  });
  const at = (value, limit) => {
    if (value === null || Number.isNaN(value)) return [128, 128, 128, 60];
    return table[Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, value / limit)))];
  };
  return { at, css: (place) => `rgb(${table[place].slice(0, 3).map(Math.round)})` };
}
