// Menu: a chart's files. A click or a key opens it, arrows move through it, Escape closes it.

import { button, make } from "../base/dom.js";

export class Menu {
  constructor(panel) {
    this.panel = panel;
    this.list = make("div", "dln-menu", { role: "menu", hidden: "" });
    this.item("CSV, the numbers", () => panel.saveNumbers(this.name));
    this.item("Table of numbers", () => panel.view.sheet.show(panel));
    this.item("For a paper or talk …", () => this.prepare());
    const closed = { "aria-haspopup": "menu", "aria-expanded": "false", title: "Export (E)" };
    this.button = button("", closed, "Export", () => this.open(this.list.hidden));
    this.element = make("div", "dln-export", {}, this.button, this.list);
    this.element.onkeydown = (event) => this.walk(event);
    this.element.addEventListener("focusout", (event) => {
      if (!this.element.contains(event.relatedTarget)) this.open(false, false);
    });
  }

  item(label, act) {
    const attributes = { role: "menuitem", tabindex: "-1" };
    this.list.append(button("", attributes, label, () => (this.open(false), act())));
  }

  open(open, focus = true) {
    if (open === !this.list.hidden) return;
    this.list.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (focus) (open ? this.list.firstChild : this.button).focus();
  }

  walk(event) {
    if (this.list.hidden) return;
    const items = [...this.list.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape") this.open(false);
    else if (to !== undefined) items.at(to % items.length).focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  get name() {
    return `${this.panel.name.replaceAll("/", "-")}_${this.panel.run.key}`;
  }

  /** Ask for the page's dialog, which draws the chart's range, axis, camera, moment and mode. */
  prepare() {
    const { name, isLog, seenAxes: held, hidden, at, view } = this.panel;
    const mode = view.modes.chosen;
    view.notify("export", { panel: name, log: isLog, held, hidden: [...hidden], at, mode });
  }
}
