// Library: what is loaded once in the life of the page beside the modules.

import { make } from "./dom.js";

const loaded = (element, found = () => {}) =>
  new Promise((done, fail) => {
    [element.onload, element.onerror] = [() => done(found()), fail];
    document.head.append(element);
  });

export function loadStyle() {
  const href = new URL("../style.css", import.meta.url);
  return loaded(make("link", "", { rel: "stylesheet", href }));
}

const parts = new Map(); // of plotly.js, by address

/** Each part is a Plotly of its own, which its charts keep. */
export async function loadPlotly(address) {
  const script = make("script", "", { src: address });
  if (!parts.has(address)) parts.set(address, loaded(script, () => window.Plotly));
  try {
    return await parts.get(address);
  } catch {
    parts.delete(address); // so that it may be tried again
    throw new Error("The chart library could not be loaded; reload the page.");
  }
}
