// Picture: a picture with holes at the cursor, as each network fills them, beside simple fills and
// the picture itself. Grey values of a step are fetched when the cursor reaches it.

import { API } from "../base/api.js";
import { button, make, write } from "../base/dom.js";
import { brief, capital, whole } from "../base/words.js";
import { best } from "./best.js";
import { Maps } from "./maps.js";

const HOLE = [216, 90, 48]; // a colour that no grey value has
const FALLEN = 0.05; // decibels below its best moment from which on a network is past it

export class Picture extends Maps {
  constructor(view, name) {
    super(view, name);
    this.element.classList.remove("dln-wide");
  }

  describe(figure) {
    this.modes = figure.layout.meta.modes;
    this.chosen = Math.min(this.chosen ?? this.modes, this.modes);
    figure.layout.meta.called = [[], []];
    super.describe(figure);
    this.plot.classList.add("dln-pictures");
    this.plot.setAttribute("aria-label", capital("picture with holes, and how they are filled"));
    this.plot.querySelector(".dln-scale").replaceWith(this.chooser());
  }

  tile(trace) {
    const tile = super.tile(trace);
    tile.z = trace.meta.network ? null : trace.z;
    tile.score = make("span", "dln-score", {}, trace.meta.scores);
    tile.element.firstChild.append(tile.score);
    if (!trace.meta.network) return tile;
    tile.best = button("dln-go", { title: "Show this step in the charts", hidden: "" }, "", () =>
      this.view.cursor.seek(tile.bestStep),
    );
    tile.element.append(tile.best);
    return tile;
  }

  get limit() {
    return 255;
  }

  /** The choice of how many modes of W are added up; at its end, the completed pictures. */
  chooser() {
    const range = { type: "range", min: 1, max: this.modes, value: this.chosen };
    this.slider = make("input", "", { ...range, "aria-label": "Modes of W that are added up" });
    this.count = make("span");
    this.slider.oninput = () => this.choose(+this.slider.value);
    this.tell();
    const title = "How many modes σᵢuᵢvᵢᵀ of W are added up; at the end, W fills the holes";
    return make("label", "dln-modes-of", { title }, "Modes", this.slider, this.count);
  }

  choose(count) {
    this.chosen = count;
    this.tell();
    this.asked = undefined;
    this.follow();
  }

  /** Say which modes are shown. */
  tell() {
    const all = this.chosen === this.modes;
    write(this.count, all ? "all, and what is seen" : `first ${this.chosen} of W alone`);
    this.slider.setAttribute("aria-valuetext", this.count.textContent);
  }

  address(step) {
    const modes = this.chosen === this.modes ? 0 : this.chosen;
    return `${API}runs/${this.run.key}/picture?step=${step}&modes=${modes}`;
  }

  /** Take a step, and the grey values of every network. */
  take(buffer) {
    [this.at] = new Float64Array(buffer.slice(0, 8));
    const grey = new Uint8Array(buffer, 8);
    const [height, width] = this.size;
    for (const tile of this.tiles) {
      const { network, place } = tile.trace.meta;
      if (!network) continue;
      const own = grey.subarray(place * height * width, (place + 1) * height * width);
      const row = (y) => Array.from(own.subarray(y * width, (y + 1) * width));
      tile.z = Array.from({ length: height }, (_, y) => row(y));
    }
    this.paint();
  }

  paint() {
    super.paint();
    this.score();
  }

  /** Write the scores of the record at the cursor under each network's name. */
  score() {
    const { store } = this.run;
    if (!store?.count) return;
    const row = Math.max(this.view.cursor.row, 0);
    for (const tile of this.tiles) {
      if (!tile.trace.meta.network) continue;
      const [psnr, ssim] = tile.trace.meta.y.map((name) => store.column(name));
      const last = Math.min(row, store.lastRow(psnr));
      const told = Number.isFinite(psnr[last]);
      write(tile.score, told ? `${psnr[last].toFixed(1)} dB, SSIM ${ssim[last].toFixed(3)}` : "");
      const record = best(psnr, FALLEN);
      tile.best.hidden = record < 0;
      if (record < 0) continue;
      tile.bestStep = store.column("step")[record];
      write(tile.best, `best ${psnr[record].toFixed(1)} dB at step ${whole(tile.bestStep)}`);
    }
  }

  fill({ canvas, z }) {
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(canvas.width, canvas.height);
    let place = 0;
    for (const row of z) {
      for (const value of row) {
        image.data.set(value === null ? [...HOLE, 255] : [value, value, value, 255], place);
        place += 4;
      }
    }
    pen.putImageData(image, 0, 0);
  }

  say(value, y, x) {
    const words = value === null ? "a hole" : `grey value ${brief(value)} of 255`;
    return `row ${y + 1}, column ${x + 1}: ${words}`;
  }

  /** The scores in words. */
  summarise() {
    this.score();
    const told = this.tiles.filter(({ score }) => score.textContent);
    const sentences = told.map(({ trace, score }) => `${trace.name}: ${score.textContent}.`);
    write(this.card.words, [`At step ${whole(this.at ?? 0)}.`, ...sentences].join(" "));
  }
}
