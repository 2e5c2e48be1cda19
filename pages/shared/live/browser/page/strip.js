// Strip: the run's status in a word, a few numbers and a bar.

import { button, make, write } from "../base/dom.js";
import { capital, duration, whole } from "../base/words.js";

const PHASES = {
  queued: ["Queued", "wait"],
  running: ["Running", "go"],
  paused: ["Paused", "wait"],
  done: ["Done", "good"],
  diverged: ["Diverged", "bad"],
  cancelled: ["Cancelled", "still"],
  failed: ["Failed", "bad"],
  lost: ["Process lost", "bad"],
  unreadable: ["Unreadable", "bad"],
};

const REPLAY = "Computed before: this is a replay.";
const ENDED = new Set(["done", "diverged"]);

const WARN = `<svg viewBox="0 0 24 24" aria-hidden="true"><path fill="none" stroke="currentColor"
  stroke-width="2" stroke-linejoin="round" d="M12 3.5 22 20.5H2zM12 10v5M12 17v1"/></svg>`;

export class Strip {
  /** `seek` moves the cursor to a step, `skip` to the end of a replay. */
  constructor(seek, skip) {
    this.seek = seek;
    const fact = (more = "") => make("span", `dln-fact ${more}`);
    this.dot = make("span", "dln-dot");
    this.word = make("span");
    this.phase = make("span", "dln-phase", { role: "status" }, this.dot, this.word);
    this.facts = [fact("dln-steps"), fact(), fact(), fact("dln-machine")];
    this.message = make("p", "dln-message");
    this.skipping = button("dln-skip", { hidden: "" }, "Skip to the end", skip);
    this.signs = make("ul", "dln-signs", { "aria-label": "Signs of failure", "aria-live": "polite" });
    this.fill = make("div");
    const about = { role: "progressbar", "aria-label": "Steps trained", "aria-valuemin": "0" };
    this.bar = make("div", "dln-bar", about, this.fill);
    const line = make("div", "dln-line", {}, this.phase, ...this.facts);
    const named = { role: "group", "aria-label": "Status of the run" };
    const news = make("div", "dln-news", {}, this.skipping, this.signs, this.message);
    this.element = make("div", "dln-strip", named, line, news, this.bar);
  }

  show({ status, config, store, cut, failure, refusal }) {
    const [word, tone] = PHASES[status?.phase] ?? ["Connecting", "still"];
    let trouble = null;
    const why = failure ?? refusal;
    if (why) trouble = "Not available";
    else if (cut) trouble = "Connection lost, trying again…";
    write(this.word, trouble ?? word);
    this.dot.dataset.tone = trouble ? "bad" : tone;
    this.told = why ?? message(status);
    write(this.message, this.replaying ? REPLAY : this.told);
    if (this.message.title !== this.told) this.message.title = this.told;
    this.showSigns(status?.signatures ?? []);
    const step = Math.max(status?.step ?? 0, store?.last("step") || 0);
    const words = facts(status, config?.steps, step, trouble);
    words.forEach((text, place) => write(this.facts[place], text));
    this.showBar(step, status?.phase === "done" ? step : config?.steps);
  }

  /** Say that a run that was trained before is played, until it has ended. */
  showReplay(on) {
    if (on === this.replaying) return;
    this.replaying = on;
    this.skipping.hidden = !on;
    write(this.message, on ? REPLAY : (this.told ?? ""));
  }

  /** List the signs of failure; a click on one moves the cursor to its step. */
  showSigns(signs) {
    const key = JSON.stringify(signs);
    if (key === this.signed) return;
    this.signed = key;
    const items = signs.map(({ step, sentence }, place) => {
      const icon = make("span", "dln-warn");
      icon.innerHTML = WARN;
      const title = { title: "Show this step in the charts" };
      const go = button("dln-go", title, `step ${whole(step)}`, () => this.seek(step));
      const age = { style: `--age: ${-place}` }; // where only one is seen, it is the newest
      return make("li", "", age, icon, go, make("span", "", {}, sentence));
    });
    this.signs.replaceChildren(...items);
  }

  showBar(step, end) {
    this.fill.style.transform = `scaleX(${end ? Math.min(step / end, 1) : 0})`;
    this.bar.setAttribute("aria-valuenow", String(step));
    if (end) this.bar.setAttribute("aria-valuemax", String(end));
  }
}

function facts(status, total, step, trouble) {
  if (!status) return ["", "", "", ""];
  const early = status.phase === "done" && step < total; // the run reached its tolerance
  const [verb, bound] = early ? ["ended at step", "of at most"] : ["step", "of"];
  // Nobody knows how many steps another program is going to make.
  const progress = total ? `${verb} ${whole(step)} ${bound} ${whole(total)}` : `step ${whole(step)}`;
  if (status.phase !== "running" || trouble || !(status.rate > 0))
    return [progress, "", "", status.machine];
  const left = total ? `at most ${duration((total - step) / status.rate)} left` : "";
  return [progress, `${whole(status.rate)} steps/s`, left, status.machine];
}

function message(status) {
  if (!status) return "";
  if (status.phase === "queued") return queue(status);
  const quiet = (status.ends && ENDED.has(status.phase)) || status.phase === "running";
  const spoken = status.message || (quiet ? "" : status.words);
  return capital([spoken, status.ends].filter(Boolean).join(" · "));
}

function queue({ position, message }) {
  if (position === null) return message || "Starting…";
  if (!position) return "Next in line.";
  return position === 1 ? "One run goes first." : `${position} runs go first.`;
}
