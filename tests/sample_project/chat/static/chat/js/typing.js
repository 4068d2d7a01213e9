// Who is typing: telling the others, and showing what they tell.

import { byId } from "./dom.js";

const REPEAT_MS = 2_000;
const FORGET_MS = 5_000;

export class TypingSignal {
  #saidAt = -Infinity;

  constructor(socket) {
    this.socket = socket;
  }

  update(typing) {
    if (typing && performance.now() - this.#saidAt > REPEAT_MS) this.#say(true);
    else if (!typing && this.#saidAt > -Infinity) this.#say(false);
  }

  #say(typing) {
    this.#saidAt = typing ? performance.now() : -Infinity;
    if (this.socket.connected) this.socket.emit("typing", typing);
  }
}

export class TypingLine {
  #timers = new Map();

  show(nickname, typing) {
    clearTimeout(this.#timers.get(nickname));
    // A "stopped typing" that is lost with its connection must not stay for ever.
    if (typing) this.#timers.set(nickname, setTimeout(() => this.show(nickname, false), FORGET_MS));
    else this.#timers.delete(nickname);
    byId("typing").textContent = sentence([...this.#timers.keys()]);
  }

  clear() {
    for (const nickname of [...this.#timers.keys()]) this.show(nickname, false);
  }
}

function sentence(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return `${names.length} people are typing…`;
}
