// Transport: the bar that moves the cursor through a run's records.

import { button, make, write } from "../base/dom.js";
import { whole } from "../base/words.js";

const ICONS = {
  play: "M7 4.5v15l13-7.5z",
  halt: "M6 4.5h4.5v15H6zM13.5 4.5H18v15h-4.5z",
  back: "M5 4.5h3v15H5zM20 4.5v15L9 12z",
  forth: "M16 4.5h3v15h-3zM4 4.5v15L15 12z",
};
const STRIDES = [1, 10, 100];
const SPEEDS = [1, 2, 5, 10];

export class Transport {
  constructor(view) {
    this.view = view;
    const cursor = (this.cursor = view.cursor);
    this.play = button("dln-play", {}, "", () => cursor.toggle());
    const back = iconed("back", "Step back (←)", () => cursor.move(-1));
    const forth = iconed("forth", "Step forward (→)", () => cursor.move(1));
    this.slider = make("input", "", { type: "range", min: "0", step: "any" });
    this.slider.setAttribute("aria-label", "Step that the charts show");
    this.slider.oninput = () => cursor.seek(+this.slider.value);
    this.where = make("span", "dln-where");
    const jump = button("", { title: "Next escape (J)" }, "Next escape", () => cursor.jump());
    const newest = { title: "Follow the newest record" };
    this.newest = button("", newest, "Newest", () => (cursor.stop(), cursor.follow()));
    const strides = choice("Stride", STRIDES, (n) => `${n}`, (n) => (cursor.stride = n));
    const speeds = choice("Speed", SPEEDS, (n) => `×${n}`, (n) => (cursor.speed = n));
    this.modes = choice("Mode", [0], () => "all", (mode) => view.modes.choose(mode || null));
    const moves = make("div", "dln-moves", {}, this.play, back, forth);
    const scrub = make("div", "dln-scrub", {}, this.slider, this.where);
    const more = make("div", "dln-more", {}, jump, this.newest, speeds, strides, this.modes);
    this.jump = jump;
    this.gated = [this.play, back, forth, this.slider, this.newest, jump];
    const about = { role: "group", "aria-label": "Replay" };
    this.element = make("div", "dln-transport", about, moves, scrub, more);
    this.show();
  }

  /** Show where the cursor is. */
  show() {
    const { cursor } = this;
    const steps = cursor.steps;
    const end = steps.at(-1) ?? 0;
    const step = cursor.on ? (steps[cursor.row] ?? 0) : end;
    for (const part of this.gated) part.disabled = cursor.last < 1;
    this.slider.max = end || 1;
    this.slider.value = step;
    this.slider.style.setProperty("--done", `${100 * (end ? step / end : 1)}%`);
    let words = cursor.last < 1 ? "" : "newest";
    if (cursor.on) words = `step ${whole(step)}`;
    write(this.where, words);
    this.slider.setAttribute("aria-valuetext", cursor.on ? words : `newest, step ${whole(end)}`);
    this.newest.setAttribute("aria-pressed", String(!cursor.on));
    this.showPlay(cursor.playing);
    this.showModes();
  }

  showPlay(playing) {
    if (this.shownPlaying === playing) return;
    this.shownPlaying = playing;
    this.play.innerHTML = icon(playing ? "halt" : "play");
    this.play.setAttribute("aria-label", playing ? "Pause the replay" : "Play the replay");
    this.play.title = `${playing ? "Pause" : "Play"} the replay (P)`;
  }

  /** List the modes of the charts. */
  showModes() {
    const { modes } = this.view;
    const select = this.modes.lastChild;
    const count = modes.count;
    this.modes.hidden = !count;
    this.jump.hidden = !this.view.shown.some(({ figure }) => figure.layout.meta?.watched?.length);
    if (select.options.length !== count + 1) {
      const names = ["all", ...Array.from({ length: count }, (_, i) => `${i + 1}`)];
      select.replaceChildren(...names.map((name, value) => make("option", "", { value }, name)));
    }
    select.value = modes.chosen ?? 0;
  }
}

const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true">
  <path d="${ICONS[name]}" fill="currentColor"/></svg>`;

function iconed(name, title, act) {
  const made = button("dln-icon", { title, "aria-label": title.split(" (")[0] }, "", act);
  made.innerHTML = icon(name);
  return made;
}

/** A labelled list of numbers to choose from. */
function choice(label, values, name, act) {
  const options = values.map((value) => make("option", "", { value }, name(value)));
  const select = make("select", "", {}, ...options);
  select.onchange = () => act(+select.value);
  return make("label", "dln-choice", {}, label, select);
}
