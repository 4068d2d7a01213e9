// The messages of the room on screen: in order, each once, a bounded number of them, and scrolled to the newest one
// unless the reader has scrolled up.

import { byId } from "./dom.js";
import { MessageView, systemLine } from "./message-view.js";

const MAX_LINES = 400;
const SAME_BREATH_MS = 5 * 60_000;
const NEAR_THE_END_PX = 60;

export class MessageLog {
  #log = byId("log");
  #list = byId("lines");
  #scroller = byId("scroller");
  #empty = byId("empty");
  #toNewest = byId("to-newest");
  #views = new Map();
  #following = true;
  #top = 0;
  #unseen = 0;

  constructor() {
    this.#scroller.addEventListener("scroll", () => this.#scrolled());
    this.#toNewest.addEventListener("click", () => this.follow());
    // Growth of any kind: a new line, an image that has loaded, the keyboard of a phone.
    const growth = new ResizeObserver(() => this.#following && this.follow());
    growth.observe(byId("log-content"));
    growth.observe(this.#scroller);
  }

  has(id) {
    return this.#views.has(id);
  }

  add(message, options) {
    const view = new MessageView(message, options);
    this.#views.set(message.id, view);
    this.#insert(view.node, message.state ? null : this.#undelivered());
    if (message.state) this.follow();
    else this.#count();
    return view;
  }

  showDelivery(id, state, error) {
    this.#views.get(id)?.showDelivery(state, error);
  }

  remove(id) {
    this.#views.get(id)?.remove();
    this.#views.delete(id);
    this.showEmptyState();
  }

  say(text) {
    this.#insert(systemLine(text), this.#undelivered());
  }

  clear() {
    for (const view of this.#views.values()) view.remove();
    this.#views.clear();
    this.#list.replaceChildren();
    this.#empty.hidden = true;
    this.follow();
  }

  // While the history arrives, screen readers wait and nothing counts as unseen.
  set loading(loading) {
    this.#log.ariaBusy = String(loading);
    if (!loading) this.showEmptyState();
  }

  showEmptyState() {
    this.#empty.hidden = this.#views.size > 0;
  }

  follow() {
    this.#following = true;
    this.#unseen = 0;
    this.#toNewest.hidden = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#top = this.#scroller.scrollTop;
  }

  // Messages that are still on their way stay at the end.
  #undelivered() {
    return this.#list.querySelector('[data-delivery="sending"], [data-delivery="failed"]');
  }

  #insert(node, before) {
    this.#list.insertBefore(node, before);
    this.#group(node);
    this.#group(node.nextElementSibling);
    this.#empty.hidden ||= this.#views.size > 0;
    this.#trim();
  }

  // Messages of one person in one breath share the name and the avatar.
  #group(node) {
    const previous = node?.previousElementSibling;
    if (!previous) return;
    const sameAuthor = node.dataset.author !== undefined && node.dataset.author === previous.dataset.author;
    node.classList.toggle("continued", sameAuthor && node.dataset.at - previous.dataset.at < SAME_BREATH_MS);
  }

  #trim() {
    while (this.#list.childElementCount > MAX_LINES) {
      const first = this.#list.firstElementChild;
      const view = [...this.#views.values()].find(({ node }) => node === first);
      if (view) this.remove(view.message.id);
      else first.remove();
    }
  }

  #count() {
    if (this.#following || this.#log.ariaBusy === "true") return;
    this.#unseen += 1;
    this.#toNewest.textContent = this.#unseen === 1 ? "1 new message ↓" : `${this.#unseen} new messages ↓`;
    this.#toNewest.hidden = false;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    // Only the reader scrolls up; the end also moves away by itself when the log grows.
    if (scrollTop < this.#top) this.#following = false;
    this.#top = scrollTop;
    if (scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PX) this.follow();
  }
}
