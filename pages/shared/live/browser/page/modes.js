// Modes: one mode is lit in all charts while the others are faint. A line's mode is `meta.mode`.
// Lines without a mode never change.

import { FAINT } from "../base/theme.js";

export class Modes {
  constructor(view) {
    this.view = view;
    this.hovered = null;
    this.chosen = null;
  }

  get lit() {
    return this.hovered ?? this.chosen;
  }

  /** The number of modes in the charts. */
  get count() {
    const lines = this.view.shown.flatMap((panel) => panel.lines);
    return Math.max(0, ...lines.map(({ meta }) => meta.mode ?? 0));
  }

  isFaint({ meta = {} }) {
    return this.lit !== null && meta.mode !== undefined && meta.mode !== this.lit;
  }

  /** Light the mode under the pointer; null for none. */
  hover(mode) {
    this.set(mode, this.chosen);
  }

  /** Keep a mode lit; null for all. */
  choose(mode) {
    this.set(null, mode);
    this.view.keep("mode", { run: this.view.run.key, mode });
  }

  /** Take the mode that the page's address names for a run. */
  adopt(mode) {
    this.set(null, mode ?? null);
  }

  set(hovered, chosen) {
    const before = this.lit;
    const same = chosen === this.chosen;
    this.hovered = hovered;
    this.chosen = chosen;
    if (!same) this.view.transport.show();
    if (this.lit !== before) for (const panel of this.view.shown) this.light(panel);
  }

  /** Set the opacity of a chart's lines, both in Plotly's drawing and on the canvas. */
  light(panel) {
    panel.lines.forEach((line, place) => {
      const drawn = panel.plot.querySelector(`.tracedln${place}`);
      if (drawn) drawn.style.opacity = this.isFaint(line) ? FAINT : 1;
    });
    panel.fixed?.forEach((trace, place) => {
      const drawn = panel.plot.querySelector(`.tracetheory${place}`);
      if (drawn) drawn.style.opacity = this.isFaint(trace) ? FAINT : 1;
    });
    panel.needle.light();
    if (panel.ready) panel.paint();
  }

  /** Listen to a chart: hovering lights a line's mode, a click keeps it. */
  watch(panel) {
    const mode = ({ points }) => points[0]?.data.meta?.mode ?? null;
    panel.plot.on("plotly_hover", (event) => this.hover(mode(event)));
    panel.plot.on("plotly_unhover", () => this.hover(null));
    panel.plot.on("plotly_click", (event) => {
      const clicked = mode(event);
      this.choose(clicked === this.chosen ? null : clicked);
    });
  }
}
