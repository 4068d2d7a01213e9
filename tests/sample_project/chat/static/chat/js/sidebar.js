// The rooms, the people in the present one, and on narrow screens the drawer that holds both.

import { avatar, byId, element } from "./dom.js";
import { roomAddress } from "./address.js";

export class Sidebar {
  #rooms = [];
  #current = "";

  constructor({ onNewRoom }) {
    byId("open-sidebar").addEventListener("click", () => this.open());
    byId("close-sidebar").addEventListener("click", () => this.close());
    byId("backdrop").addEventListener("click", () => this.close());
    byId("rooms").addEventListener("click", () => this.close());
    byId("sidebar").addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    byId("new-room-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = byId("new-room").value.trim();
      event.target.reset();
      this.close();
      if (name) onNewRoom(name);
    });
  }

  showRooms(rooms) {
    this.#rooms = rooms;
    this.#render();
  }

  showCurrentRoom(name) {
    this.#current = name;
    byId("room-name").textContent = name;
    this.#render();
  }

  showPeople(people, nickname) {
    byId("people-count").textContent = people.length;
    byId("room-people").textContent = people.length === 1 ? "1 person here" : `${people.length} people here`;
    byId("people").replaceChildren(...people.map((person) => personItem(person, person === nickname)));
  }

  open() {
    this.#toggle(true);
    byId("close-sidebar").focus();
  }

  close() {
    if (byId("backdrop").hidden) return;
    this.#toggle(false);
    byId("open-sidebar").focus();
  }

  #toggle(open) {
    byId("app").classList.toggle("with-sidebar", open);
    byId("backdrop").hidden = !open;
    byId("open-sidebar").ariaExpanded = String(open);
  }

  #render() {
    const known = this.#rooms.some((room) => room.name === this.#current);
    const rooms = known || !this.#current ? this.#rooms : [...this.#rooms, { name: this.#current, people: 0 }];
    byId("rooms").replaceChildren(...rooms.map((room) => roomItem(room, room.name === this.#current)));
  }
}

function roomItem({ name, people }, current) {
  const link = element("a", { href: roomAddress(name) }, element("span", { className: "room-label" }, name));
  if (people) {
    const count = element("span", { className: "count", ariaHidden: "true" }, String(people));
    const spoken = element("span", { className: "visually-hidden" }, people === 1 ? " (1 person)" : ` (${people} people)`);
    link.append(count, spoken);
  }
  if (current) link.setAttribute("aria-current", "page");
  return element("li", {}, link);
}

function personItem(nickname, isMe) {
  const item = element("li", {}, avatar(nickname), element("span", { className: "person" }, nickname));
  if (isMe) item.append(element("span", { className: "muted small" }, "you"));
  return item;
}
