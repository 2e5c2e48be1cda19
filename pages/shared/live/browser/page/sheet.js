// Sheet: the numbers of one chart as tables, in a dialog.

import { button, make } from "../base/dom.js";
import { plain } from "../base/words.js";

export class Sheet {
  constructor() {
    this.element = make("dialog", "dln-help dln-sheet");
    this.element.onclick = ({ target }) => target === this.element && this.element.close();
  }

  /** Show the tables of a panel. */
  show(panel) {
    const words = `Numbers: ${plain(panel.card.title.innerHTML)}`;
    this.element.setAttribute("aria-label", words);
    const close = button("dln-close", {}, "Close", () => this.element.close());
    const head = make("div", "dln-head", {}, make("h2", "dln-title", {}, words), close);
    const tables = panel.tables.map((each) => table(each));
    this.element.replaceChildren(head, ...tables);
    this.element.onclose = () => panel.card.menu.button.focus();
    this.element.showModal();
  }
}

function table({ caption, head, rows }) {
  const cell = (words, place, kind) => make(place ? "td" : "th", "", place ? {} : { scope: kind }, words);
  const top = make("tr", "", {}, ...head.map((words) => make("th", "", { scope: "col" }, words)));
  const body = rows.map((row) => make("tr", "", {}, ...row.map((words, at) => cell(words, at, "row"))));
  const about = caption ? [make("caption", "", {}, caption)] : [];
  const parts = [...about, make("thead", "", {}, top), make("tbody", "", {}, ...body)];
  return make("div", "dln-table", { tabindex: "0" }, make("table", "", {}, ...parts));
}
