// The official client, as told by tests. Each line of the input is a task: {id, url, transport, scenario, args}.
// For each there is a line `RESULT {id, value}` or `RESULT {id, error}`, and before it any number of `NEWS {id, news}`.

const { Manager } = require("socket.io-client");
const readline = require("readline");
const scenarios = require("./node_scenarios.js");

const TRANSPORTS = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };
// What no scenario takes.
const TIMEOUT = 15_000;

function print(kind, message) {
  console.log(kind, JSON.stringify(message, (key, value) => (value === undefined ? null : value)));
}

// What a scenario uses.
class Task {
  constructor({ id, url, transport }) {
    this.id = id;
    this.transport = transport;
    this.managers = [];
    this.manager = this.connect({}, url);
  }

  // Opens another connection.
  connect(options = {}, url = this.manager.uri) {
    const manager = new Manager(url, {
      transports: TRANSPORTS[this.transport],
      reconnection: false,
      autoConnect: false,
      ...options,
    });
    this.managers.push(manager);
    return manager;
  }

  // Returns a socket of the connection. It connects when a scenario awaits `connected`, or asks it to.
  socket(namespace = "/", options = {}, manager = this.manager) {
    return manager.socket(namespace, options);
  }

  async connected(namespace = "/", options = {}, manager = this.manager) {
    const socket = this.socket(namespace, options, manager);
    socket.connect();
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
    return socket;
  }

  // Waits until the connection is on the transport that it should end on.
  async upgraded(manager = this.manager) {
    if (this.transport === "upgrade" && manager.engine.transport.name !== "websocket") {
      await new Promise((resolve) => manager.engine.once("upgrade", resolve));
    }
    return manager.engine.transport.name;
  }

  news(news) {
    print("NEWS", { id: this.id, news });
  }

  close() {
    for (const manager of this.managers) manager._close();
  }
}

async function perform(message) {
  const task = new Task(message);
  const timer = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`${message.scenario} took too long`)), TIMEOUT).unref();
  });
  try {
    const value = await Promise.race([scenarios[message.scenario](task, ...message.args), timer]);
    print("RESULT", { id: message.id, value });
  } catch (error) {
    print("RESULT", { id: message.id, error: error.stack });
  } finally {
    task.close();
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => perform(JSON.parse(line)));
process.stdin.on("end", () => process.exit(0));
console.log("ready");
