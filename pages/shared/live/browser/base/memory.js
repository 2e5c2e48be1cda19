// Memory: a viewer's choices in a chart, kept for the browser tab so that they survive a reload.

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
