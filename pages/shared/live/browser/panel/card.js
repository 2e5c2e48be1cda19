// Card: everything around a chart: title, buttons, legend, and a description for screen readers.

import { button, make, write } from "../base/dom.js";
import { heading, marked, plain } from "../base/words.js";
import { legend } from "./legend.js";
import { Menu } from "./menu.js";
import { Naming } from "./naming.js";

export class Card {
  constructor(panel) {
    this.panel = panel;
    const name = heading(panel.name).replace("/", ": ");
    this.title = make("h2", "dln-title", {}, name);
    this.menu = new Menu(panel);
    const label = { title: "Logarithmic value axis (L)" };
    this.log = button("", label, "log", () => panel.toggleLog());
    this.tools = make("div", "dln-tools", { hidden: "" }, this.log, this.menu.element);
    this.legend = make("div", "dln-legend", { role: "group" });
    const wait = make("div", "dln-wait", {}, "Waiting for the first record…");
    const id = `dln-words-${panel.name.replace(/\W/g, "-")}`;
    this.plot = make("div", "dln-plot", { role: "img", "aria-describedby": id }, wait);
    this.words = make("p", "dln-unseen", { id });
    const head = make("div", "dln-head", {}, this.title, this.tools);
    this.note = make("p", "dln-note");
    this.naming = new Naming(panel);
    const names = this.naming.element;
    const parts = [head, this.note, this.legend, names, panel.needle.values, this.plot, this.words];
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
    this.note.textContent = this.note.title = note;
  }

  /** Show a sentence in place of the chart. */
  lack(sentence) {
    this.tools.hidden = true;
    this.legend.replaceChildren();
    this.listed = this.told = null;
    this.explain();
    this.plot.replaceChildren(make("div", "dln-wait", {}, sentence));
  }

  showLog(on) {
    this.log.setAttribute("aria-pressed", String(on));
  }

  /** Show an entry for each group of lines, theory and marks that the chart has. */
  showLegend() {
    const { theme } = this.panel.view;
    const entries = legend(this.panel);
    for (const { line } of entries) if (line) line.tells = line.named(this.panel.run.store);
    const key = JSON.stringify([theme?.key, ...entries.map(({ group, label }) => [group, label])]);
    const told = JSON.stringify(entries.map(({ line }) => line?.tells));
    if (key !== this.listed) this.legend.replaceChildren(...entries.map((entry) => this.key(entry)));
    else if (told !== this.told)
      entries.forEach(({ line }, place) => {
        if (line) this.legend.children[place].lastChild.innerHTML = marked(line.tells);
      });
    Object.assign(this, { listed: key, told });
  }

  /** A button that shows and hides a group. */
  key({ group, label, swatch, line }) {
    const pressed = () => String(!this.panel.hidden.has(group));
    const attributes = { "aria-pressed": pressed(), title: "Show or hide" };
    const key = button("dln-key", attributes, "", () => {
      this.panel.toggleGroup(group);
      key.setAttribute("aria-pressed", pressed());
    });
    key.innerHTML = swatch;
    const words = make("span");
    words.innerHTML = marked(line?.tells ?? label);
    key.append(words);
    return key;
  }

  /** Tell in words what the chart shows. */
  summarise(words) {
    write(this.words, words);
  }
}
