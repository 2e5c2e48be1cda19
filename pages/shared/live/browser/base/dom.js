// DOM: elements, their text, and links that save a file.

/** An element with a class, attributes and children. */
export function make(tag, className = "", attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function button(className, attributes, label, onclick) {
  const all = { type: "button", ...attributes };
  const element = make("button", `dln-button ${className}`, all, label);
  element.onclick = onclick;
  return element;
}

/** Set an element's text; costs nothing if the text is the same. */
export function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

export function download(url, name) {
  make("a", "", { href: url, download: name }).click();
}

/** Width and height of an element for Plotly, which measures it only once by itself. */
export const sizeOf = ({ clientWidth: width, clientHeight: height }) => ({ width, height });
