// Elements: made, written to, and links that save a file.

/** An element with a class, attributes and children. */
export function make(tag, className = "", attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function button(className, attributes, label, onclick) {
  const made = make("button", `dln-button ${className}`, { type: "button", ...attributes }, label);
  made.onclick = onclick;
  return made;
}

/** Set an element's text, at no cost when it says that already. */
export function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

export function download(url, name) {
  make("a", "", { href: url, download: name }).click();
}
