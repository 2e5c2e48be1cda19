// Arrow keys in the boxes of number.py: 1 more or less in a whole number; elsewhere one unit of the
// leading digit, so that 3e-30 becomes 4e-30 and 0.001 becomes 0.0009.

const KEY = /st-key-\S*-(text|whole)(?=\s|$)/; // the class that Streamlit makes of a box's key
const put = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;

/** The text after one press; null where no step makes sense. */
function stepped(text, up, whole) {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value) || (value === 0 && !whole)) return null;
  if (whole) return String(value + up);
  const [digits, power] = Math.abs(value).toExponential().split("e");
  const finer = up * value < 0 && Number(digits) < 2; // 1 goes down to 0.9 and not to 0
  const unit = Number(`1e${Number(power) - (finer ? 1 : 0)}`);
  return String(Number((value + up * unit).toPrecision(12)));
}

/** "text" or "whole" in a box for numbers, else nothing. */
function kind(event) {
  return event.target.closest?.("[class*='st-key-']")?.className.match(KEY)?.[1];
}

function press(event) {
  const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!up || !kind(event) || event.target.disabled) return;
  event.preventDefault();
  const text = stepped(event.target.value, up, kind(event) === "whole");
  if (text === null) return;
  put.call(event.target, text);
  event.target.dispatchEvent(new Event("input", { bubbles: true }));
}

/** The number counts as typed once the key is let go. */
function release(event) {
  if (!["ArrowUp", "ArrowDown"].includes(event.key) || !kind(event)) return;
  event.target.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
}

export default function () {
  document.addEventListener("keydown", press);
  document.addEventListener("keyup", release);
  return () => {
    document.removeEventListener("keydown", press);
    document.removeEventListener("keyup", release);
  };
}
