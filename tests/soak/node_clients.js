// Clients of socket.io-client, many in one process: `node node_clients.js`.
//
// A line of input is a command in JSON: {run: {url, clients, seed}} has clients come, and {leave: true} has them leave
// in an orderly way. A line `RECORD {…}` of output is what a client knows of a session that ended, and `LEFT` says that
// all are gone.

const { Manager } = require("socket.io-client");

const TRANSPORTS = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };
const ROOMS = 12;
// Longer than this no live session keeps a client waiting for an acknowledgement.
const PATIENCE = 20_000;

// Random numbers from a seed ("mulberry32").
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// As in `payloads.py`.
function binary(number) {
  return Buffer.alloc(number % 50 === 49 ? 20_000 : (number % 97) + 1, number % 251);
}

function add(runs, number) {
  const last = runs.at(-1);
  if (last && last[1] === number - 1) last[1] = number;
  else runs.push([number, number]);
}

// One session of a client: what it sent, and what it got.
class Session {
  constructor(id) {
    this.id = id;
    this.sent = 0;
    this.total = 0;
    this.acked = -1;
    this.acks = 0;
    this.answered = new Set();
    this.got = [];
    this.rooms = {};
    this.faults = [];
  }

  receive(runs, number, data) {
    this.total += 1;
    add(runs, number);
    if (data !== undefined && !binary(number).equals(data)) this.faults.push(`the attachment of ${number} is wrong`);
  }

  // `total` is how many messages the server had sent when it acknowledged.
  acknowledged(number, ackedNumber, total) {
    this.acks += 1;
    this.acked = Math.max(this.acked, number);
    if (ackedNumber !== number) this.faults.push(`${number} was acknowledged as ${ackedNumber}`);
    if (this.answered.has(number)) this.faults.push(`${number} was acknowledged twice`);
    this.answered.add(number);
    if (total !== this.total) this.faults.push(`at the acknowledgement of ${number}, ${this.total} of ${total} were here`);
  }
}

class Client {
  constructor(url, plan, random) {
    this.plan = plan;
    this.random = random;
    this.session = null;
    this.leaving = null;
    this.manager = new Manager(url, {
      transports: TRANSPORTS[plan],
      reconnectionDelay: 20,
      reconnectionDelayMax: 200,
      timeout: 4000,
      autoConnect: false,
    });
    this.socket = this.manager.socket("/", { auth: (give) => give({ hesitate: this.chance(0.2) ? 20 : 0 }) });
    this.listen();
    this.socket.connect();
  }

  chance(probability) {
    return this.random() < probability;
  }

  between(low, high) {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  listen() {
    // The library hands packets on a moment after it decoded them. If its connection ends within that moment, as by a
    // close() that waits for an upgrade, it keeps them, and shows them to the next session.
    this.manager.on("open", () => (this.socket.receiveBuffer = []));
    this.socket.on("connect", () => this.begin());
    this.socket.on("disconnect", (reason) => this.end(reason));
    this.socket.on("connect_error", () => this.leaving && this.gone());
    this.socket.on("sent", (id, number, data) => this.receive(id, number, data));
    this.socket.on("question", (id, number, answer) => {
      this.receive(id, number);
      answer(number);
    });
    this.socket.on("said", (room, number, data) => {
      if (!this.session) return this.stray(`${number} of ${room}`);
      this.session.receive((this.session.rooms[room] ??= []), number, data);
    });
  }

  receive(id, number, data) {
    if (id !== this.session?.id) return this.stray(`${number} of ${id}`);
    this.session.receive(this.session.got, number, data);
  }

  stray(what) {
    (this.session ?? (this.strays ??= new Session("strays"))).faults.push(`${what} came outside of its session`);
  }

  begin() {
    this.session = new Session(this.socket.id);
    this.session.until = performance.now() + this.between(500, 8000);
    if (this.leaving) this.farewell();
    else this.schedule();
  }

  schedule() {
    const { session } = this;
    this.timer = setTimeout(() => {
      if (session !== this.session || this.leaving) return;
      if (performance.now() > session.until) return this.farewell();
      this.act();
      if (session === this.session) this.schedule();
    }, this.between(10, 150));
  }

  // Sends an event under the next number. What is not sent in this session is not sent in another one.
  emit(event, args, { ack = false, then } = {}) {
    const { session } = this;
    if (!session || !this.socket.connected) return;
    const number = session.sent++;
    const callback = (...answer) => {
      session.acknowledged(number, ...answer);
      then?.();
    };
    this.socket.emit(event, [session.id, number], ...args, ...(ack ? [callback] : []));
  }

  act() {
    const roll = this.random();
    const ack = this.chance(0.5);
    const room = `room-${this.between(1, ROOMS)}`;
    const number = this.session.sent;
    if (roll < 0.4) this.emit("note", ["x".repeat(this.between(0, 300)), this.between(0, 3)], { ack });
    else if (roll < 0.5) this.emit("blob", [binary(number), binary(number + 1)], { ack });
    else if (roll < 0.62) this.emit("join", [room], { ack });
    else if (roll < 0.68) this.emit("leave", [room], { ack });
    else if (roll < 0.88) this.emit("say", [this.chance(0.05) ? "lobby" : room], { ack });
    else if (roll < 0.92) this.emit("ask", [], { ack });
    else if (roll < 0.95) this.emit("poke", [], { ack });
    else if (roll < 0.985) for (let i = 0; i < 15; i++) this.emit("note", ["burst", 2], { ack: i === 14 });
    else if (roll < 0.995) this.emit("bye", [this.chance(0.5)]);
    else this.manager.engine.close();
  }

  // Leaves when all that was sent is acknowledged, which it is in any session that lives.
  farewell() {
    const { session } = this;
    clearTimeout(this.timer);
    const tooLong = setTimeout(() => {
      session.faults.push(`no acknowledgement within ${PATIENCE} ms`);
      this.socket.disconnect();
    }, PATIENCE);
    session.stopWaiting = () => clearTimeout(tooLong);
    this.emit("note", ["bye", 0], { ack: true, then: () => this.socket.disconnect() });
  }

  end(reason) {
    const { session } = this;
    // The library also says so of a connection that broke before the server had accepted the socket.
    if (!session) return;
    clearTimeout(this.timer);
    session.stopWaiting?.();
    this.session = null;
    this.socket.sendBuffer = [];
    report(this, session, reason);
    if (this.leaving) return this.gone();
    // After any other end the client comes back by itself.
    if (reason.startsWith("io ")) this.timer = setTimeout(() => this.socket.connect(), this.between(20, 300));
  }

  // Resolves when it has left.
  leave() {
    clearTimeout(this.timer);
    return new Promise((resolve) => {
      this.leaving = resolve;
      if (this.session) this.farewell();
      else this.gone();
    });
  }

  gone() {
    if (this.strays) report(this, this.strays, "strays");
    this.strays = null;
    this.manager.reconnection(false);
    this.socket.disconnect();
    this.leaving();
  }
}

function report({ plan, manager }, session, reason) {
  const { id, sent, total, acked, acks, got, rooms, faults } = session;
  const transport = manager.engine?.transport?.name ?? null;
  const record = { side: "client", kind: "node", id, plan, transport, reason, sent, total, acked, acks, got, rooms };
  process.stdout.write(`RECORD ${JSON.stringify({ ...record, faults: faults.slice(0, 10) })}\n`);
}

let clients = [];

const commands = {
  run({ url, clients: count, seed }) {
    const plans = Object.keys(TRANSPORTS);
    clients = Array.from({ length: count }, (_, i) => new Client(url, plans[i % 3], randomFrom(seed * 1000 + i)));
  },
  async leave() {
    await Promise.all(clients.map((client) => client.leave()));
    clients = [];
    process.stdout.write("LEFT\n");
  },
};

const input = require("readline").createInterface({ input: process.stdin });
input.on("line", (line) => {
  for (const [name, options] of Object.entries(JSON.parse(line))) commands[name](options);
});
input.on("close", () => process.exit(0));
process.stdout.write("READY\n");
