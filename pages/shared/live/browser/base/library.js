// Library: style sheet and chart library, each loaded once in the life of the page.

import { make } from "./dom.js";

const loaded = (element, result = () => {}) =>
  new Promise((done, fail) => {
    element.onload = () => done(result());
    element.onerror = fail;
    document.head.append(element);
  });

export function loadStyle() {
  const href = new URL("../style.css", import.meta.url);
  return loaded(make("link", "", { rel: "stylesheet", href }));
}

const parts = new Map(); // promises of parts of plotly.js, by address

/** A part of plotly.js. Each part defines `Plotly` anew; a chart keeps the one that drew it. */
export async function loadPlotly(address) {
  const script = make("script", "", { src: address });
  if (!parts.has(address)) parts.set(address, loaded(script, () => window.Plotly));
  try {
    return await parts.get(address);
  } catch {
    parts.delete(address); // a later call tries again
    throw new Error("The chart library could not be loaded; reload the page.");
  }
}
