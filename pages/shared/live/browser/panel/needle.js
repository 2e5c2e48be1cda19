// Needle: the cursor in one chart: a bar across it, and a list of the lines' values there.

import { make, write } from "../base/dom.js";
import { brief } from "../base/words.js";

const MOST = 30; // values in the list

export class Needle {
  constructor(panel) {
    this.panel = panel;
    this.bars = new Map(); // by clock: networks may be at different times
    const about = { role: "group", tabindex: "0", hidden: "" };
    this.values = make("div", "dln-values", about);
    this.key = "";
  }

  show() {
    this.place();
    this.say();
  }

  get on() {
    const { run, view, lines } = this.panel;
    return view.cursor.on && run.store?.count > 0 && lines.length > 0;
  }

  /** The row of a line at the cursor; the last row of a network that has ended. */
  row(line) {
    return Math.min(this.panel.view.cursor.row, line.good);
  }

  /** Place the bars according to the current axes. */
  place() {
    if (!this.on) {
      for (const bar of this.bars.values()) bar.remove();
      return this.bars.clear();
    }
    const { xaxis, yaxis, yaxis2 } = this.panel.plot._fullLayout ?? {};
    if (!xaxis) return;
    const longest = new Map();
    for (const line of this.panel.lines.filter(({ strip }) => !strip)) {
      const known = longest.get(line.clock)?.good ?? -1;
      if (line.good > known) longest.set(line.clock, line); // the line that continues longest
    }
    for (const [name, bar] of this.bars) {
      if (!longest.has(name)) (bar.remove(), this.bars.delete(name));
    }
    for (const [name, line] of longest) {
      this.stand(this.bar(name, line, longest.size), line, xaxis, [yaxis, yaxis2 ?? yaxis]);
    }
  }

  bar(name, line, count) {
    const bar = this.bars.get(name) ?? make("div", "dln-needle", { "aria-hidden": "true" });
    this.bars.set(name, bar);
    if (!bar.isConnected) this.panel.plot.append(bar);
    bar.style.setProperty("--line", count > 1 ? line.color(this.panel.view.theme.dark) : "");
    return bar;
  }

  stand(bar, line, xaxis, [upper, lower]) {
    const { run, view } = this.panel;
    // On the axis of steps, all charts have it at one place, also where a network has ended.
    const row = line.meta.x === "step" ? view.cursor.row : this.row(line);
    const value = line.x(run.store, row);
    const [from, to] = xaxis.range.map(Number);
    const share = ((xaxis.type === "log" ? Math.log10(value) : value) - from) / (to - from);
    bar.hidden = !(share >= -1e-6 && share <= 1 + 1e-6);
    bar.style.height = `${lower._offset + lower._length - upper._offset}px`;
    const left = xaxis._offset + share * xaxis._length;
    bar.style.transform = `translate(${left}px, ${upper._offset}px)`;
  }

  /** Write the values at the cursor. */
  say() {
    this.values.hidden = !this.on;
    if (!this.on) return;
    this.panel.observe();
    const { run, view, lines } = this.panel;
    const isShown = (line) => line.good >= 0 && !line.strip && !this.panel.isHidden(line);
    const shown = lines.filter(isShown);
    this.list(shown.slice(0, MOST), shown.length - MOST, view.theme);
    for (const { line, number } of this.listed) {
      const ended = line.over && view.cursor.row > line.good ? " (ended)" : "";
      write(number, brief(line.value(run.store, this.row(line))) + ended);
    }
  }

  /** Make the list anew if different lines are shown. */
  list(lines, more, theme) {
    const key = [theme.key, more, ...lines.map((line) => line.meta.y)].join();
    if (key === this.key) return;
    this.key = key;
    this.listed = lines.map((line) => {
      const swatch = make("i", "", { style: `background:${line.color(theme.dark)}` });
      const number = make("b");
      const item = make("span", "dln-value", {}, swatch, `${line.label} `, number);
      return { line, number, item };
    });
    this.values.replaceChildren(...this.listed.map(({ item }) => item));
    if (more > 0) this.values.append(make("span", "dln-value", {}, `and ${more} more`));
    this.light();
  }

  light() {
    for (const { line, item } of this.listed ?? [])
      item.toggleAttribute("data-faint", this.panel.view.modes.isFaint(line));
  }

  /** The lines have changed. */
  forget() {
    this.key = "";
  }
}
