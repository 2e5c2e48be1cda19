// Tabs: on a narrow page one chart is seen at a time, and each chart has a tab.

import { button, make } from "../base/dom.js";
import { plain } from "../base/words.js";

export class Tabs {
  constructor(view) {
    this.view = view;
    this.name = null; // of the panel in front
    this.element = make("div", "dln-tabs", { role: "tablist", "aria-label": "Charts" });
  }

  /** A tab for each panel that has something to show. */
  show() {
    const panels = this.view.panels.filter(({ element }) => !element.hidden);
    if (!panels.some(({ name }) => name === this.name)) this.name = panels[0]?.name;
    const tabs = panels.map((panel) => this.tab(panel));
    this.element.replaceChildren(...tabs);
    this.bring();
  }

  tab({ name, card }) {
    const words = plain(card.title.innerHTML);
    const tab = button("dln-tab", { role: "tab" }, words, () => {
      this.name = name;
      this.bring();
      this.view.redraw();
    });
    tab.dataset.name = name;
    return tab;
  }

  /** Bring the chosen panel to the front. */
  bring() {
    for (const tab of this.element.children)
      tab.setAttribute("aria-selected", String(tab.dataset.name === this.name));
    for (const { name, element } of this.view.panels)
      element.classList.toggle("dln-behind", name !== this.name);
  }
}
