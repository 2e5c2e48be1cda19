// Classes: the name of a mode by the classes that it tells apart; named and at_ends of dynamics/findings/classes.py
// do the same. Constants are those of that file.

const MOST = 3; // names on each side
const NEAR = 0.4; // a class is named if its entry is at least this share of the largest one

/** The names at the two ends of a mode, by their numbers: as many of one end as of the other. */
export function atEnds(numbers, names) {
  if (!numbers.every(Number.isFinite)) return "";
  const listed = numbers.map((number) => names[number - 1].split(" (")[0]);
  const half = listed.length / 2;
  return [listed.slice(0, half), listed.slice(half)].map((side) => side.join(", ")).join(" | ");
}

/** The classes, or a whole group of them, at the two ends of a class vector: "sandal, boot | shirt";
 * empty for no direction. */
export function named(vector, classes, groups = {}) {
  const least = NEAR * Math.max(0, ...vector.map(Math.abs));
  if (!(vector.every(Number.isFinite) && least > 0)) return "";
  const opposite = vector.map((entry) => -entry);
  const beyond = (entry) => entry >= least;
  if (vector.every(beyond) || opposite.every(beyond)) return "all alike";
  const sides = [vector, opposite].map((entries) => side(entries, classes, groups, least));
  return sides.map((words) => words || "the rest").join(" | ");
}

/** The names of the entries from `least` on, the largest first, or that of their group. */
function side(entries, classes, groups, least) {
  const order = entries.map((_, index) => index).filter((index) => entries[index] >= least);
  order.sort((one, other) => entries[other] - entries[one]);
  const names = order.map((index) => classes[index]);
  const isWhole = (group) => group.length === names.length && group.every((each) => names.includes(each));
  const whole = Object.keys(groups).find((name) => isWhole(groups[name]));
  return whole ?? [...names.slice(0, MOST), ...(names.length > MOST ? ["…"] : [])].join(", ");
}
