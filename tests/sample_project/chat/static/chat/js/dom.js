// The two DOM helpers that every other file uses. Text goes in as text nodes only, so nothing is ever parsed as HTML.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export function avatar(nickname) {
  const node = element("span", { className: "avatar", ariaHidden: "true" });
  paintAvatar(node, nickname);
  return node;
}

export function paintAvatar(node, nickname) {
  const letters = Array.from(nickname);
  node.textContent = letters[0].toUpperCase();
  const hue = letters.reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  node.style.setProperty("--hue", hue);
}
