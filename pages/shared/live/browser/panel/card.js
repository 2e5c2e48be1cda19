// Card: everything around a chart: title, buttons, legend, and a description for screen readers.

import { button, make } from "../base/dom.js";
import { brief, capital, marked, plain } from "../base/words.js";
import { Menu } from "./menu.js";

export class Card {
  constructor(panel) {
    this.panel = panel;
    const name = capital(panel.name.replaceAll("_", " ").replace("/", ": "));
    this.title = make("h3", "dln-title", {}, name);
    this.menu = new Menu(panel);
    const label = { title: "Logarithmic value axis (L)" };
    this.log = button("", label, "log", () => panel.toggleLog());
    this.tools = make("div", "dln-tools", { hidden: "" }, this.log, this.menu.element);
    this.legend = make("div", "dln-legend", { role: "group" });
    const wait = make("div", "dln-wait", {}, "Waiting for the first record…");
    this.plot = make("div", "dln-plot", { role: "img" }, wait);
    this.words = make("p", "dln-unseen");
    const head = make("div", "dln-head", {}, this.title, this.tools);
    this.note = make("p", "dln-note");
    const parts = [head, this.note, this.legend, panel.needle.values, this.plot, this.words];
    this.element = make("section", "dln-card", { "data-panel": panel.name }, ...parts);
  }

  /** Show the title of the panel's figure. */
  name(title) {
    const label = plain(title);
    this.title.innerHTML = marked(title);
    this.plot.setAttribute("aria-label", `Line chart: ${label}`);
    this.legend.setAttribute("aria-label", `Lines of: ${label}`);
    this.panel.needle.values.setAttribute("aria-label", `Values at the cursor: ${label}`);
    this.log.setAttribute("aria-label", `Logarithmic value axis: ${label}`);
    this.menu.button.setAttribute("aria-label", `Export: ${label}`);
    this.tools.hidden = false;
  }

  /** Show a sentence that explains the chart. */
  explain(note = "") {
    this.note.textContent = note;
  }

  /** Show a sentence in place of the chart. */
  lack(sentence) {
    this.tools.hidden = true;
    this.legend.replaceChildren();
    this.explain();
    this.plot.replaceChildren(make("div", "dln-wait", {}, sentence));
  }

  showLog(on) {
    this.log.setAttribute("aria-pressed", String(on));
  }

  /** Show a key for each line that the legend lists. */
  showLegend(dark) {
    const listed = this.panel.lines.filter((line) => line.trace.showlegend !== false);
    this.legend.replaceChildren(...listed.map((line) => this.key(line, dark)));
  }

  /** A button that shows and hides the lines of a line's group. */
  key(line, dark) {
    const pressed = () => String(!this.panel.hidden.has(line.group));
    const attributes = { "aria-pressed": pressed(), title: "Show or hide" };
    const key = button("dln-key", attributes, "", () => {
      this.panel.toggleGroup(line.group);
      key.setAttribute("aria-pressed", pressed());
    });
    key.innerHTML = `<svg width="26" height="8" aria-hidden="true"><line x1="1" x2="25" y1="4"
      y2="4" stroke-width="2.5" stroke="${line.color(dark)}"
      stroke-dasharray="${line.dash.map((length) => length * 0.8)}"/></svg>`;
    key.append(plain(line.trace.name));
    return key;
  }

  /** Describe the first line of each network in words: its first and its last value. */
  summarise(store) {
    const main = this.panel.lines.filter(({ strip }) => !strip);
    const groups = Map.groupBy(main, (line) => line.meta.network);
    const sentences = [...groups].map(([, lines]) => {
      const line = lines.find(({ good }) => good >= 0);
      if (!line) return "";
      const network = plain(line.trace.name);
      const label = line.label.includes(network) ? line.label : `${network}, ${line.label}`;
      const start = brief(store.column(line.meta.y)[0] * line.scale);
      const end = brief(line.end(store)[1]) + (line.broken ? ", then not finite" : "");
      const more = lines.length > 1 ? ` and ${lines.length - 1} more lines` : "";
      return `${label}: from ${start} to ${end}${more}.`;
    });
    this.words.textContent = sentences.join(" ");
  }
}
