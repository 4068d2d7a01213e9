// One message as a list item.

import { avatar, element } from "./dom.js";

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export class MessageView {
  #picture = null;

  // `message.image` is a Blob, or null; `actions` are what the buttons in the message do.
  constructor(message, { own, actions }) {
    this.message = message;
    this.delivery = element("span", { className: "delivery" });
    this.node = element("li", { className: own ? "message own" : "message" });
    this.node.dataset.author = message.author;
    this.node.dataset.at = message.at.getTime();
    this.node.append(
      avatar(message.author),
      element(
        "div",
        { className: "body" },
        element("p", { className: own ? "visually-hidden" : "author" }, own ? "You" : message.author),
        message.image ? this.#image(actions) : element("p", { className: "bubble" }, message.text),
        element("p", { className: "meta" }, time(message.at), this.delivery),
      ),
    );
    this.actions = actions;
  }

  showDelivery(state, error = "") {
    this.node.dataset.delivery = state;
    if (state === "sending") this.delivery.replaceChildren("sending…");
    if (state === "delivered") this.delivery.replaceChildren(element("span", { className: "tick", ariaHidden: "true" }, "✓"), " delivered");
    if (state === "failed") {
      this.delivery.replaceChildren(
        element("span", { className: "failure" }, `not delivered: ${error}`),
        button("Retry", () => this.actions.retry(this.message.id)),
        button("Discard", () => this.actions.discard(this.message.id)),
      );
    }
  }

  remove() {
    this.node.remove();
    if (this.#picture) URL.revokeObjectURL(this.#picture.src);
  }

  #image(actions) {
    const alt = `Image from ${this.message.author}`;
    this.#picture = element("img", { alt, src: URL.createObjectURL(this.message.image) });
    this.#picture.addEventListener("error", () => this.node.classList.add("broken"));
    const open = () => actions.view(this.#picture.src, alt);
    const picture = element("button", { className: "picture", type: "button", onclick: open }, this.#picture);
    picture.setAttribute("aria-label", `${alt}. Show it larger`);
    return picture;
  }
}

export function systemLine(text) {
  return element("li", { className: "system" }, text);
}

function time(at) {
  const today = at.toDateString() === new Date().toDateString();
  const text = today ? timeFormat.format(at) : `${dayFormat.format(at)}, ${timeFormat.format(at)}`;
  return element("time", { dateTime: at.toISOString(), title: fullFormat.format(at) }, text);
}

function button(label, onclick) {
  return element("button", { className: "link", type: "button", onclick }, label);
}
