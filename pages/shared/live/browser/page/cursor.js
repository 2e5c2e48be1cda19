// Cursor: the record that all charts show; while it is off, they follow the newest record. It is
// kept as a step, because rows move when the skipped records of a run arrive.

import { firstAt } from "../base/thin.js";
import { escapes } from "./escapes.js";

const WHOLE = 30; // seconds of a long replay at speed 1
const SLOWEST = 10; // records a second of a short replay
const CALM = 0.5; // seconds between two moves for viewers who want little motion
const LONGEST_TICK = 0.1; // seconds; after a delay, the replay continues where it was
const REST = 400; // ms without a move before the page's script learns the step

export class Cursor {
  constructor(view) {
    this.view = view;
    this.step = null; // null: off
    this.told = null; // the step that the page's script knows
    this.speed = 1;
    this.growing = false; // whether lines end at the cursor: a replay hides what comes after it
    this.ticking = null; // the next frame of a replay
  }

  get on() {
    return this.step !== null;
  }

  get playing() {
    return this.ticking !== null;
  }

  get steps() {
    return this.view.run.store?.column("step") ?? [];
  }

  get last() {
    return this.steps.length - 1;
  }

  /** How many records the charts show. */
  get count() {
    return this.growing ? this.row + 1 : this.last + 1;
  }

  /** The row of the shown record; -1 before the first. */
  get row() {
    return this.on ? this.nearest(this.step) : this.last;
  }

  nearest(step) {
    const steps = this.steps;
    const row = Math.min(firstAt(steps, step), this.last);
    return row > 0 && step - steps[row - 1] < steps[row] - step ? row - 1 : row;
  }

  // Moves

  /** Start a different run at the page's step. */
  adopt(step) {
    this.stop();
    this.growing = false;
    this.step = this.told = step;
    this.view.showCursor();
  }

  /** Turn the cursor off: the charts follow the newest record again. */
  follow() {
    this.growing = false;
    this.show(null);
  }

  goTo(row) {
    if (this.last < 0) return;
    const beyond = row >= this.last;
    if (beyond && this.view.run.live) return this.follow();
    this.show(this.steps[beyond ? this.last : Math.max(row, 0)]);
  }

  /** Move by records; a negative number moves back. */
  move(records) {
    this.stop();
    this.goTo(this.row + records);
  }

  seek(step) {
    this.stop();
    this.goTo(this.nearest(step));
  }

  /** Move to the next escape; after the last one, to the first. */
  jump() {
    this.stop();
    const rows = escapes(this.view.shown, this.view.run.store);
    const from = this.on ? this.row : -1;
    if (rows.length) this.goTo(rows.find((row) => row > from) ?? rows[0]);
  }

  show(step) {
    if (step === this.step) return;
    this.step = step;
    this.view.showCursor();
    this.tellSoon();
  }

  // Replay

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }

  play() {
    if (this.last < 1) return;
    if (this.row >= this.last) this.goTo(0);
    this.growing = true;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let before = performance.now();
    let due = 0; // records to advance, with a fraction
    const tick = (now) => {
      const rate = this.speed * Math.max(SLOWEST, this.last / WHOLE);
      due += Math.min((now - before) / 1000, LONGEST_TICK) * rate;
      before = now;
      if (due >= (calm ? Math.max(1, CALM * rate) : 1)) {
        this.goTo(this.row + Math.floor(due));
        due %= 1;
      }
      if (this.on && this.row < this.last) this.ticking = requestAnimationFrame(tick);
      else this.end();
    };
    this.ticking = requestAnimationFrame(tick);
    this.view.transport.show();
  }

  /** The replay has come to the last record: whole lines are shown again. */
  end() {
    this.stop();
    if (this.view.before) return this.follow(); // it stands in for training, which ends so
    this.growing = false;
    this.view.showCursor();
  }

  stop() {
    if (!this.playing) return;
    cancelAnimationFrame(this.ticking);
    this.ticking = null;
    this.view.transport.show();
    this.tellSoon();
  }

  /** Tell the page's script once the cursor rests: each message reruns the script. */
  tellSoon() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      if (this.playing || this.told === this.step || this.view.ended.aborted) return;
      this.told = this.step;
      this.view.keep("at", { run: this.view.run.key, step: this.step });
    }, REST);
  }

  leave() {
    clearTimeout(this.resting);
    cancelAnimationFrame(this.ticking);
  }
}
