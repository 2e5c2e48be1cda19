// Numbers: what a chart shows, in words and in tables, for whoever does not see it.

import { brief, plain, whole } from "../base/words.js";

export const TOLD = 4; // lines of a network whose course is told
const STILL = 0.01; // share of a value by which a line that stands still may move
const ROWS = 25; // records in a table
export const COLUMNS = 12; // lines in a table

/** The course of a panel's first lines in words: where each starts, ends, and is half way. */
export function course({ lines, run: { store }, isLog }) {
  const main = lines.filter(({ strip, good }) => !strip && good >= 0);
  const networks = [...Map.groupBy(main, ({ meta }) => meta.network)];
  return networks.map(([network, all]) => ofNetwork(network, all, store, isLog)).join(" ");
}

function ofNetwork(network, lines, store, isLog) {
  const steps = store.column("step");
  const told = lines.slice(0, TOLD).map((line) => {
    const [start, end] = [line.value(store, line.first), line.value(store, line.good)];
    const half = halfWay(line, store, start, end, isLog);
    const moved = Math.abs(end - start) > STILL * Math.max(Math.abs(start), Math.abs(end));
    const way = moved && half > line.first ? `, half way at step ${whole(steps[half])}` : "";
    const after = line.broken ? ", then not finite" : "";
    return `${named(line)}: from ${brief(start)} to ${brief(end)} at step ${whole(steps[line.good])}${way}${after}.`;
  });
  const more = lines.length > TOLD ? ` And ${lines.length - TOLD} more lines.` : "";
  const about = lines[0].label.includes(network) ? "" : `${network.replaceAll("_", " ")}: `;
  return `${about}${told.join(" ")}${more}`;
}

/** The first row at which a line has passed the middle between its ends, as the axis shows it. */
function halfWay(line, store, start, end, isLog) {
  const middle = isLog && start * end > 0 ? Math.sign(start) * Math.sqrt(start * end) : (start + end) / 2;
  const column = store.column(line.meta.y);
  for (let row = line.first; row <= line.good; row++) {
    const value = column[row] * line.scale;
    if (end > start ? value >= middle : value <= middle) return row;
  }
  return -1;
}

const named = ({ label, name }) => label || plain(name);

/** A table of a panel's lines at records from the first to the last. */
export function records({ lines, hidden, run: { store } }) {
  const seen = lines.filter((line) => !line.strip && line.good >= 0 && !hidden.has(line.group));
  const shown = seen.slice(0, COLUMNS);
  const left = seen.length - shown.length;
  const one = new Set(shown.map(({ meta }) => meta.network)).size === 1;
  const head = ({ label, meta }) =>
    one || label.includes(meta.network) ? label : `${meta.network.replaceAll("_", " ")}, ${label}`;
  return {
    caption: left ? `The first ${COLUMNS} of ${seen.length} lines; CSV has all.` : "",
    head: ["step", ...shown.map(head)],
    rows: spread(store.count).map((row) => [
      whole(store.column("step")[row]),
      ...shown.map((line) => (row > line.good ? "–" : brief(line.value(store, row)))),
    ]),
  };
}

/** Up to ROWS rows, evenly from the first to the last. */
export function spread(count) {
  const size = Math.min(ROWS, count);
  const rows = Array.from({ length: size }, (_, at) => Math.round((at * (count - 1)) / Math.max(size - 1, 1)));
  return [...new Set(rows)];
}
