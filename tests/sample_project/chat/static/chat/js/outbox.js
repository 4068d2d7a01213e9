// Messages on their way. An acknowledgement settles each of them; a lost connection keeps it until the room is joined
// again. The server knows a message by its id, so sending one twice does no harm.

const ACK_TIMEOUT_MS = 15_000;

export class Outbox {
  #messages = new Map();
  #room = null;

  constructor(socket, onProgress) {
    this.socket = socket;
    this.onProgress = onProgress;
  }

  // The room that the server has let this client into: only then is anything sent.
  open(room) {
    this.#room = room;
    for (const message of this.waitingFor(room)) {
      if (message.state === "sending") this.#deliver(message);
    }
  }

  close() {
    this.#room = null;
  }

  waitingFor(room) {
    return [...this.#messages.values()].filter((message) => message.room === room);
  }

  send(message) {
    this.#messages.set(message.id, message);
    this.retry(message.id);
  }

  retry(id) {
    const message = this.#messages.get(id);
    this.#report(message, "sending");
    if (message.room === this.#room) this.#deliver(message);
  }

  discard(id) {
    this.#messages.delete(id);
  }

  async #deliver(message) {
    const { id, room, text, image } = message;
    const [event, payload] = image ? ["image", { id, room, image }] : ["message", { id, room, text }];
    try {
      const answer = await this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, payload);
      if (!answer.ok) return this.#report(message, "failed", answer.error);
      this.discard(id);
      this.#report(message, "delivered");
    } catch {
      // Disconnected: it goes out again when the room is open again.
      if (this.#room === room) this.#report(message, "failed", "The server did not answer.");
    }
  }

  #report(message, state, error = "") {
    message.state = state;
    this.onProgress(message, error);
  }
}

export function newId() {
  // Not crypto.randomUUID(): a phone on the local network has no secure context.
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
