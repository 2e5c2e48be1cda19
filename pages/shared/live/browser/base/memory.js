// Memory: a viewer's choices in a chart, kept for the browser tab so that they survive a reload, and
// the pictures and matrices of users that the viewer knows, kept in a cookie.

const KNOWN = "dln_known"; // as pages/shared/session/owned.py reads it
const MOST = 40; // ids, which fit into a cookie
const YEAR = 31536000; // s

export function remember(panel) {
  const { run, versus } = panel.view.data;
  const choices = { run, versus, log: panel.log, hidden: [...panel.hidden], held: panel.held };
  sessionStorage.setItem(`dln ${panel.name}`, JSON.stringify(choices));
}

export function recall(panel) {
  const { run, versus } = panel.view.data;
  const kept = JSON.parse(sessionStorage.getItem(`dln ${panel.name}`) ?? "{}");
  panel.log = kept.log ?? null;
  if (kept.run !== run) return;
  panel.hidden = new Set(kept.hidden);
  if (kept.versus === versus) panel.held = kept.held;
}

/** Add ids, with points between them, to those that the browser keeps for a year. */
export function know(ids) {
  const kept = document.cookie.match(`(?:^|; )${KNOWN}=([^;]*)`)?.[1] ?? "";
  const all = new Set(`${kept}.${ids}`.split(".").filter(Boolean));
  const value = [...all].slice(-MOST).join(".");
  if (value !== kept) document.cookie = `${KNOWN}=${value}; path=/; max-age=${YEAR}; samesite=lax`;
}
