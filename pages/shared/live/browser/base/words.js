// Words: numbers and marked-up text for readers.

const digits = (signs) => (_, number) => [...number].map((digit) => signs[digit]).join("");
const low = digits("₀₁₂₃₄₅₆₇₈₉");
const high = digits("⁰¹²³⁴⁵⁶⁷⁸⁹");

/** Text without its tags; numbers that they lower or raise stay so: σ₁. */
export const plain = (html) =>
  html
    .replace(/<sub>(\d+)<\/sub>/g, low)
    .replace(/<sup>(\d+)<\/sup>/g, high)
    .replace(/<[^>]*>/g, "");

/** HTML of a text: Plotly's few tags stay tags, everything else is escaped. */
export function marked(text) {
  const safe = text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return safe.replace(/&lt;(\/?)(sub|sup|i|b)&gt;/g, "<$1$2>");
}

export const capital = (text) => text.replace(/^./, (letter) => letter.toUpperCase());

const LETTERS = ["psnr", "ssim"]; // names that are said letter by letter

/** The name of a chart as a heading. */
export const heading = (name) =>
  LETTERS.includes(name) ? name.toUpperCase() : capital(name.replaceAll("_", " "));

/** A whole number: 12,345. */
export const whole = (value) => Math.round(value).toLocaleString("en");

/** 9.61e-13 as 9.61 × 10⁻¹³, with no-break spaces. */
const raised = (text) =>
  text.replace(
    /e\+?(-?)(\d+)/,
    (_, minus, power) => `\u00a0×\u00a010${minus && "⁻"}${high(_, power)}`,
  );

/** A number in three digits; – for NaN. */
export function brief(value) {
  if (Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  const far = size && (size < 1e-3 || size >= 1e5);
  return far ? raised(value.toExponential(2)) : String(+value.toPrecision(3));
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
