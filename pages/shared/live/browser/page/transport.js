// Transport: the bar that moves the cursor through a run's records.

import { button, make, write } from "../base/dom.js";
import { whole } from "../base/words.js";
import { escapes } from "./escapes.js";

const ICONS = {
  play: "M7 4.5v15l13-7.5z",
  halt: "M6 4.5h4.5v15H6zM13.5 4.5H18v15h-4.5z",
  back: "M5 4.5h3v15H5zM20 4.5v15L9 12z",
  forth: "M16 4.5h3v15h-3zM4 4.5v15L15 12z",
  jump: "M3 17.5h7v-8h11v3h-8v8H3z",
  ahead: "M12 5C6 5 2.5 12 2.5 12S6 19 12 19s9.5-7 9.5-7S18 5 12 5zm0 11a4 4 0 1 1 0-8 4 4 0 0 1 0 8z",
  newest: "M4 5v14l7-7zM11 5v14l7-7zM18 5h3v14h-3z",
};
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16];
const FRACTIONS = { 0.25: "¼", 0.5: "½" };

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
    const jump = iconed("jump", "Next escape (J)", () => cursor.jump());
    const follow = () => (cursor.stop(), cursor.follow());
    this.newest = iconed("newest", "Follow the newest record", follow);
    const times = (n) => `×${FRACTIONS[n] ?? n}`;
    const speeds = choice("Speed", SPEEDS, times, (n) => (cursor.speed = n));
    speeds.lastChild.value = cursor.speed;
    this.ahead = iconed("ahead", "Show faintly what a replay has not reached", () => view.look());
    this.modes = choice("Mode", [0], () => "all", (mode) => view.modes.choose(mode || null));
    const keys = button("dln-icon", { title: "Keys (?)", "aria-label": "Keys" }, "?", () => view.askKeys());
    const moves = make("div", "dln-moves", {}, this.play, back, forth);
    this.marks = make("div", "dln-marks", { "aria-hidden": "true" });
    const track = make("div", "dln-track", {}, this.slider, this.marks);
    const scrub = make("div", "dln-scrub", {}, track, this.where);
    const more = make("div", "dln-more", {}, jump, this.newest, this.ahead, speeds, this.modes, keys);
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
    this.ahead.setAttribute("aria-pressed", String(this.view.ahead));
    this.view.strip.showReplay(this.view.before && cursor.growing);
    this.showPlay(cursor.playing);
    this.showModes();
  }

  /** Mark the escapes and the signs of failure on the slider. */
  mark() {
    const { shown, run } = this.view;
    const steps = this.cursor.steps;
    const end = steps.at(-1);
    if (!end) return this.marks.replaceChildren();
    const place = (step, kind) => make("i", kind, { style: `--at: ${Math.min(step / end, 1)}` });
    const signs = run.status?.signatures ?? [];
    this.marks.replaceChildren(
      ...escapes(shown, run.store).map((row) => place(steps[row], "")),
      ...signs.map(({ step }) => place(step, "dln-bad")),
    );
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
