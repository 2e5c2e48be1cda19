// Library: what is loaded once in the life of the page beside the modules.

import { make } from "./dom.js";

const loaded = (element) =>
  new Promise((done, fail) => {
    [element.onload, element.onerror] = [done, fail];
    document.head.append(element);
  });

export function loadStyle() {
  const href = new URL("style.css", import.meta.url);
  return loaded(make("link", "", { rel: "stylesheet", href }));
}

let loading = null;

export async function loadPlotly(address) {
  loading ??= loaded(make("script", "", { src: address }));
  try {
    await loading;
  } catch {
    loading = null; // so that it may be tried again
    throw new Error("The chart library could not be loaded; reload the page.");
  }
  return window.Plotly;
}
