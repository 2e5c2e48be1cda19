// Escapes: where lines leave their plateau. A figure lists their columns in `layout.meta.watched`.

const LEAST = 0.01; // share of the greatest final value below which a line has not grown

/** The rows, in order, at which a watched column reaches half of its final value. */
export function escapes(panels, store) {
  if (!store) return [];
  const names = new Set(panels.flatMap(({ figure }) => figure.layout.meta?.watched ?? []));
  const columns = [...names].map((name) => store.column(name));
  const finals = columns.map((column) => column.findLast(Number.isFinite) ?? 0);
  const grown = LEAST * Math.max(0, ...finals);
  const rows = columns.map((column, place) => {
    const half = finals[place] / 2;
    const escaped = finals[place] > grown && column[0] < half;
    return escaped ? column.findIndex((value) => value >= half) : -1;
  });
  return [...new Set(rows)].filter((row) => row >= 0).sort((a, b) => a - b);
}
