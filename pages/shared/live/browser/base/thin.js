// Thinning: few points that look like all points of a line; a sharp step keeps its edges. Files are
// thinned in the same way: dynamics/export/layout/thinning.py.

/**
 * About `most` of the rows from..to of a curve: the rows of each bucket's least and greatest value.
 * All buckets have the same size, but on a logarithmic x axis they grow with the row.
 */
export function thin(y, from, to, most, log = false) {
  if (to - from <= most) return Array.from({ length: to - from }, (_, at) => from + at);
  const size = (to - from) / (most >> 1);
  const growth = (to / Math.max(from, 1)) ** (2 / most);
  const next = (start) => (log ? Math.max(start + 1, start * growth) : start + size);
  const rows = [from];
  for (let start = from; start < to - 1; start = next(start)) {
    for (const row of extremes(y, Math.floor(start), Math.min(Math.floor(next(start)), to))) {
      if (row > rows.at(-1)) rows.push(row);
    }
  }
  if (rows.at(-1) < to - 1) rows.push(to - 1);
  return rows;
}

/** The rows of the least and the greatest finite value, in the order of rows. */
function extremes(y, from, to) {
  let least = -1;
  let greatest = -1;
  for (let row = from; row < to; row++) {
    if (!Number.isFinite(y[row])) continue;
    if (least < 0 || y[row] < y[least]) least = row;
    if (greatest < 0 || y[row] > y[greatest]) greatest = row;
  }
  return least < greatest ? [least, greatest] : [greatest, least];
}

/** The first row of a rising x at or above a value. */
export function firstAt(x, value) {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
