// Maps: heat maps of W at the cursor. A trace's `meta` names the network of its map and says whether
// the goal is subtracted. The cells of a step are fetched when the cursor reaches it.

import { API } from "../base/api.js";
import { download, write } from "../base/dom.js";
import { halves } from "../base/float16.js";
import { brief, plain, whole } from "../base/words.js";
import { Tiles } from "./tiles.js";

const PAUSE = 100; // ms between two requests while the charts follow a run

export class Maps extends Tiles {
  describe(figure) {
    this.called = figure.layout.meta.called; // names of rows and of columns
    this.goal = figure.data.find(({ meta }) => !meta)?.z; // missing if there is no matrix to find
    super.describe(figure);
    this.plot.classList.toggle("dln-named", this.called[0].length > 0);
  }

  sizeOf(figure) {
    return figure.layout.meta.size;
  }

  tile(trace) {
    const tile = super.tile(trace);
    if (!trace.meta) tile.z = this.goal;
    return tile;
  }

  /** The value at the end of the colour scale: the goal's largest cell, else the maps' own. */
  get limit() {
    const cells = this.goal ? [] : this.tiles.flatMap(({ z }) => z?.flat() ?? []);
    const sizes = cells.map(Math.abs).filter(Number.isFinite);
    return sizes.length ? Math.max(...sizes) || 1 : super.limit;
  }

  /** The ends of the colour scale in words. */
  ends() {
    const end = brief(this.limit);
    return [`−${end}`, `+${end}`];
  }

  get scaleWords() {
    return "Value of a cell; zero is blank";
  }

  forget() {
    super.forget();
    this.cells = null;
    this.asked = undefined; // step of the last request
    this.wanted = undefined; // step of the cursor
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
      const answer = await fetch(this.address(asked));
      const buffer = answer.ok ? await answer.arrayBuffer() : null;
      if (figure === this.figure && key === run.key && buffer?.byteLength) this.take(buffer);
    } catch {
      this.asked = undefined; // when the connection retries, the next frame asks again
    }
    if (!view.cursor.on) await new Promise((done) => setTimeout(done, PAUSE));
    this.asking = false;
    if (this.wanted !== this.asked && !view.ended.aborted) this.follow();
  }

  /** Where the map of a step is. */
  address(step) {
    return `${API}runs/${this.run.key}/maps?step=${step}`;
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
      const cell = (y, x) => this.cells[from + y * width + x];
      const known = (y, x) => (minus ? (this.goal[y][x] ?? NaN) : 0);
      tile.z = Array.from({ length: height }, (_, y) =>
        Array.from({ length: width }, (_, x) => cell(y, x) - known(y, x)),
      );
    }
    this.paint();
  }

  /** A cell in words. */
  say(value, y, x) {
    const words = Number.isFinite(value) ? brief(value) : "not known";
    const [rows, columns] = this.called;
    const place = rows.length ? `${rows[y]} of ${columns[x]}` : `row ${y + 1}, column ${x + 1} of the map`;
    return `${place}: ${words}`;
  }

  summarise() {
    const differences = this.tiles.filter(({ trace, z }) => trace.meta?.minus && z);
    const sentences = differences.map(({ trace, z }) => {
      const most = Math.max(...z.flat().map((value) => Math.abs(value) || 0));
      return `${trace.name}: at most ${brief(most)} in a cell.`;
    });
    const shown = this.tiles.map(({ trace }) => plain(trace.name)).join(", ");
    const { size } = this;
    const about = `Maps of ${size[0]} × ${size[1]} cells at step ${whole(this.at ?? 0)}: ${shown}.`;
    write(this.card.words, [about, ...sentences].join(" "));
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
}
