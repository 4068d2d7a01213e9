// A Socket.IO client over WebSocket that reads no more of a frame than it must: it answers pings, and hands on
// acknowledgements with their id, other events, and attachments.

const WebSocket = require("ws");

const PING = 0x32;
const MESSAGE = 0x34;
const [CONNECT, EVENT, ACK, BINARY_ACK] = [0x30, 0x32, 0x33, 0x36];
const OPTIONS = { perMessageDeflate: false, skipUTF8Validation: true };

class WebSocketClient {
  onAck = () => {};
  onEvent = () => {};
  onAttachment = () => {};
  onPing = () => {};

  // Resolves to a client that has joined the main namespace.
  static open(url) {
    return new Promise((resolve, reject) => new WebSocketClient(url, resolve, reject));
  }

  constructor(url, resolve, reject) {
    this.joined = () => resolve(this);
    this.socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, OPTIONS);
    this.socket.on("open", () => this.socket.send("40"));
    this.socket.on("error", reject);
    this.socket.on("close", (code) => {
      if (!this.isClosing) throw new Error(`the server closed a connection: ${code}`);
    });
    this.socket.on("message", (data, isBinary) => (isBinary ? this.onAttachment(data) : this.receive(data)));
  }

  receive(frame) {
    if (frame[0] === PING) {
      this.socket.send("3");
      this.onPing();
    } else if (frame[0] === MESSAGE) {
      this.receivePacket(frame);
    }
  }

  receivePacket(frame) {
    switch (frame[1]) {
      case CONNECT:
        return this.joined();
      case EVENT:
        return this.onEvent(frame);
      case ACK:
        return this.onAck(numberAt(frame, 2));
      case BINARY_ACK: // 461-<id>[…]
        return this.onAck(numberAt(frame, 4));
      default:
        throw new Error(`unexpected: ${frame}`);
    }
  }

  // Sends an event, with the id of the acknowledgement that is asked for.
  emit(id, text) {
    this.socket.send(`42${id}${text}`);
  }

  emitBinary(id, text, attachment) {
    this.socket.send(`451-${id}${text}`);
    this.socket.send(attachment);
  }

  // Sends an event and resolves to its acknowledgement.
  call(text) {
    return new Promise((resolve) => {
      this.onAck = resolve;
      this.emit(0, text);
    });
  }

  close() {
    this.isClosing = true;
    return new Promise((resolve) => {
      this.socket.on("close", resolve);
      this.socket.close();
    });
  }
}

function numberAt(frame, start) {
  let number = 0;
  for (let i = start; frame[i] >= 0x30 && frame[i] <= 0x39; i++) number = number * 10 + frame[i] - 0x30;
  return number;
}

module.exports = { WebSocketClient };
