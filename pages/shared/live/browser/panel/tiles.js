// Tiles: matrices at the cursor, each painted on a canvas under its name, on one colour scale. One
// cell is one pixel, which the browser enlarges. Maps and matrices differ in where cells come from.

import { make, write } from "../base/dom.js";
import { mirrored, rgb } from "../base/theme.js";
import { brief, marked, plain, whole } from "../base/words.js";
import { Panel } from "./panel.js";

const MOST_NAMES = 24; // beside a matrix; with more, only the pointer tells names
const LONG = 2; // letters of a name from which on it stands upright under its column

export class Tiles extends Panel {
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
    this.size = this.sizeOf(figure);
    this.tiles = figure.data.map((trace) => this.tile(trace));
    this.under = make("p", "dln-cell");
    this.scale = ["span", "i", "span"].map((kind) => make(kind)); // low end, colours, high end
    const key = make("div", "dln-scale", { title: this.scaleWords }, ...this.scale);
    const tiles = make("div", "dln-tiles", {}, ...this.tiles.map(({ element }) => element));
    this.plot.replaceChildren(tiles, key, this.under);
    this.forget();
  }

  tile(trace) {
    const [height, width] = this.size;
    const canvas = make("canvas", "", { height, width, "aria-hidden": "true" });
    const framed = this.framed(canvas);
    const element = make("figure", "", {}, make("figcaption", "", {}, trace.name), framed);
    const tile = { trace, canvas, element, z: null };
    canvas.onpointermove = (event) => this.point(tile, event);
    canvas.onpointerleave = () => write(this.under, "");
    return tile;
  }

  /** The canvas between the names of its rows and of its columns, if `called` has them. */
  framed(canvas) {
    const [rows, columns] = this.called ?? [[], []];
    if (!rows.length || Math.max(rows.length, columns.length) > MOST_NAMES) return canvas;
    const list = (className, names) => {
      const spans = names.map((name) => make("span", "", {}, name));
      return make("div", className, { "aria-hidden": "true" }, ...spans);
    };
    const below = list("dln-columns", columns);
    below.toggleAttribute("data-upright", columns.some((name) => name.length > LONG));
    return make("div", "dln-framed", {}, list("dln-rows", rows), canvas, below);
  }

  get limit() {
    return this.figure.layout.coloraxis.cmax;
  }

  /** Drop the cells that are shown. */
  forget() {
    this.at = undefined; // step of the cells
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

  // Painting

  paint() {
    const { theme } = this.view;
    if (!theme || !this.tiles) return;
    this.stale = false;
    const scale = this.figure.layout.coloraxis.colorscale;
    const ends = [scale[0][1], scale.at(-1)[1]].map((end) => (theme.dark ? mirrored(end) : end));
    const colors = ramp(...ends, theme.dark ? theme.paper : "#ffffff");
    const [low, bar, high] = this.scale;
    bar.style.background = `linear-gradient(90deg, ${[0, 128, 255].map(colors.css)})`;
    this.ends().forEach((end, place) => write([low, high][place], end));
    const { limit } = this;
    for (const tile of this.tiles) if (tile.z) this.fill(tile, colors, limit);
    const title = this.figure.layout.title.text;
    this.card.title.innerHTML = marked(this.title(title));
  }

  title(base) {
    return this.at === undefined ? base : `${base} at step ${whole(this.at)}`;
  }

  fill({ canvas, z }, colors, limit) {
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(canvas.width, canvas.height);
    let place = 0;
    for (const row of z) {
      for (const value of row) {
        image.data.set(colors.at(value, limit), place);
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
    if (value !== undefined) write(this.under, `${trace.name}, ${this.say(value, y, x)}`);
  }

  get seenAxes() {
    return this.held;
  }

  /** A table of the cells of each matrix. */
  get tables() {
    const [rows, columns] = this.called ?? [[], []];
    return this.tiles.flatMap(({ trace, z }) => {
      if (!z) return [];
      const words = (value) => (value === null || Number.isNaN(value) ? "–" : brief(value));
      return {
        caption: plain(trace.name),
        head: ["", ...z[0].map((_, x) => columns[x] ?? `${x + 1}`)],
        rows: z.map((row, y) => [rows[y] ?? `${y + 1}`, ...row.map(words)]),
      };
    });
  }

  redraw() {
    this.stale = true;
    this.view.schedule();
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
