// Keys: letters for the charts' buttons. Streamlit handles Space and N itself, and reserves R.

import { make } from "../base/dom.js";

const HELP = [
  ["Space", "Train, pause or resume"],
  ["N", "New seed"],
  ["R", "Reset"],
  ["← →", "One record back or forth; with Shift, ten"],
  ["Home End", "First or newest record, with the focus in the charts"],
  ["P", "Play or pause the replay"],
  ["J", "Jump to the next escape"],
  ["L", "Logarithmic or linear axis: the chart in focus, or all error charts"],
  ["E", "Export the chart in focus"],
  ["Esc", "Close a menu or this list"],
];

export class Keys {
  constructor(view) {
    this.view = view;
    const { cursor } = view;
    this.letters = {
      p: () => cursor.toggle(),
      j: () => cursor.jump(),
      l: () => this.log(),
      e: () => this.exports(),
      r: () => this.reset(),
      "?": () => this.ask(),
    };
    const rows = HELP.flatMap(([key, act]) => [
      make("dt", "", {}, make("kbd", "", {}, key)),
      make("dd", "", {}, act),
    ]);
    const title = make("h3", "dln-title", {}, "Keys");
    const named = { "aria-label": "Keyboard shortcuts" };
    this.help = make("dialog", "dln-help", named, title, make("dl", "", {}, ...rows));
    this.help.onclick = ({ target }) => target === this.help && this.help.close();
    const pressed = (event) => this.pressed(event);
    document.addEventListener("keydown", pressed, { signal: view.ended });
  }

  pressed(event) {
    const key = event.key.toLowerCase();
    const act = this.letters[key] ?? this.move(event);
    const meant = !(event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target));
    if (!act || !meant || (this.help.open && key !== "?")) return;
    event.preventDefault();
    act();
  }

  /** The action of a key that moves the cursor; undefined for any other key. */
  move({ key, shiftKey, target }) {
    const { cursor, root } = this.view;
    const inside = root.contains(target);
    const way = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (way && (inside || target === document.body))
      return () => cursor.move(way * (shiftKey ? 10 : 1));
    if (!inside || !["Home", "End"].includes(key)) return undefined;
    return () => (cursor.stop(), cursor.goTo(key === "Home" ? 0 : cursor.last));
  }

  get focused() {
    return this.view.shown.find(({ element }) => element.contains(document.activeElement));
  }

  /** Switch the chart in focus, or all charts that are logarithmic by default, to the same axis. */
  log() {
    const focused = this.focused;
    const panels = focused ? [focused] : this.view.shown.filter((panel) => panel.logIsDefault);
    const on = !panels[0]?.isLog;
    for (const panel of panels) if (panel.isLog !== on) panel.toggleLog();
  }

  exports() {
    const panel = this.focused ?? this.view.shown.find(({ visible }) => visible);
    panel?.card.menu.open(true);
  }

  /** Press the page's own button; its whole text would begin with the name of its icon. */
  reset() {
    const name = (button) => button.querySelector("p")?.textContent ?? button.textContent;
    const buttons = [...document.querySelectorAll("button:not([disabled])")];
    buttons.find((button) => /^\s*Reset/.test(name(button)))?.click();
  }

  ask() {
    if (this.help.open) this.help.close();
    else this.help.showModal();
  }
}

function isTyping(element) {
  if (element.type === "range") return false;
  return element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
}
