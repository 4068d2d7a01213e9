// The official client as an agent: `node agent.js <package>`, or in a page after the bundle of the package.
// It takes commands, one JSON object each, and reports replies and news. `agents.py` says what they are.

(() => {
  const inNode = typeof window === "undefined";
  const { Manager } = inNode ? require(process.argv[2]) : window.io;
  const TRANSPORTS = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };
  const clients = new Map();

  // Binary data travels in base64, and says which of the platform's types it has, if that is not the usual one.
  const KINDS = {
    Uint8Array: (bytes) => bytes,
    ArrayBuffer: (bytes) => bytes.buffer,
    Buffer: (bytes) => Buffer.from(bytes),
    Blob: (bytes) => new Blob([bytes]),
    File: (bytes) => new File([bytes], "file.bin", { type: "application/x-test" }),
  };

  function decode(value) {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(decode);
    if ("$binary" in value) {
      const bytes = Uint8Array.from(atob(value.$binary), (character) => character.charCodeAt(0));
      return KINDS[value.kind ?? (inNode ? "Buffer" : "Uint8Array")](bytes);
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, decode(inner)]));
  }

  function toBase64(bytes) {
    let text = "";
    for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return btoa(text);
  }

  async function encode(value) {
    if (value === null || typeof value !== "object") return value;
    if (value instanceof ArrayBuffer) return { $binary: toBase64(new Uint8Array(value)) };
    if (value instanceof Uint8Array) return { $binary: toBase64(value) };
    if (value instanceof Blob) return { $binary: toBase64(new Uint8Array(await value.arrayBuffer())), kind: "Blob" };
    if (Array.isArray(value)) return Promise.all(value.map(encode));
    const entries = Object.entries(value).map(async ([key, inner]) => [key, await encode(inner)]);
    return Object.fromEntries(await Promise.all(entries));
  }

  // A page reports what gathers in one turn of its loop at a time, since it costs a message to another process.
  const unsent = [];

  function write(line) {
    if (inNode) return process.stdout.write(`REPORT ${line}\n`);
    if (unsent.push(line) === 1) setTimeout(() => window.report(unsent.splice(0)), 0);
  }

  // In the order in which they are given, though it may take a moment to encode one.
  let reports = Promise.resolve();

  function report(message) {
    reports = reports.then(async () => write(JSON.stringify(await encode(message))));
  }

  class Client {
    constructor(number, { url, transport, options }) {
      const { upgrade = true, reconnect = false, ...rest } = options;
      this.number = number;
      this.options = rest;
      this.sockets = new Map();
      this.answers = new Map();
      this.manager = new Manager(url, {
        transports: TRANSPORTS[transport],
        upgrade,
        reconnection: reconnect,
        reconnectionDelay: 20,
        reconnectionDelayMax: 100,
        autoConnect: false,
      });
    }

    get engine() {
      return this.manager.engine;
    }

    socket(namespace) {
      if (!this.sockets.has(namespace)) this.sockets.set(namespace, this.open(namespace));
      return this.sockets.get(namespace);
    }

    open(namespace) {
      const socket = this.manager.socket(namespace, this.options);
      const news = (name, ...args) => {
        report({ client: this.number, namespace, news: name, args, transport: this.engine?.transport?.name });
      };
      socket.on("connect", () => news("connect", socket.id));
      socket.on("connect_error", (error) => news("connect_error", error.message, error.data));
      socket.on("disconnect", (reason) => news("disconnect", reason));
      socket.onAny((event, ...args) => {
        const ack = typeof args.at(-1) === "function" ? args.pop() : null;
        news(`event ${event}`, ...args);
        const how = ack && this.answers.get(event);
        if (how === "echo") ack("answer", ...args);
        if (how === "list") ack(["answer", ...args]);
      });
      return socket;
    }

    // An acknowledgement may be waited for with the client's own timer, since 4.4.
    call(namespace, [event, ...args], timeout) {
      const socket = this.socket(namespace);
      return new Promise((resolve, reject) => {
        const expired = () => reject(new Error("timeout"));
        if (socket.timeout) {
          const settle = (error, ...answer) => (error ? expired() : resolve(answer));
          return socket.timeout(timeout * 1000).emit(event, ...args, settle);
        }
        const timer = setTimeout(expired, timeout * 1000);
        socket.emit(event, ...args, (...answer) => clearTimeout(timer) ?? resolve(answer));
      });
    }
  }

  const commands = {
    connect({ client: number, namespaces, auth, calledAuth, ...rest }) {
      if (!clients.has(number)) clients.set(number, new Client(number, rest));
      const client = clients.get(number);
      for (const namespace of namespaces) {
        const socket = client.socket(namespace);
        if (auth) socket.auth = calledAuth ? (callback) => callback(decode(auth)) : decode(auth);
        socket.connect();
      }
    },
    // Makes it known, and leaves it unconnected.
    prepare: ({ client, ...rest }) => void clients.set(client, new Client(client, rest)),
    emit(client, { namespace, events, volatile }) {
      const socket = client.socket(namespace);
      for (const event of decode(events)) (volatile ? socket.volatile : socket).emit(...event);
    },
    call: (client, { namespace, event, timeout }) => client.call(namespace, decode(event), timeout),
    answer: (client, { event, how }) => void client.answers.set(event, how),
    disconnect: (client, { namespace }) => void client.socket(namespace).disconnect(),
    close: (client) => void client.engine.close(),
    // Has it upgrade, which it does by itself before anybody can emit.
    upgrade(client) {
      const { engine } = client;
      client.upgrading = new Promise((resolve) => engine.once("upgrading", () => resolve(null)));
      (engine._probe ?? engine.probe).call(engine, "websocket");
    },
    upgrading: (client) => client.upgrading,
    binaryType: (client, { type }) => void (client.engine.binaryType = type),
    // Waits until the connection is on a transport.
    async transport({ engine }, { name }) {
      if (engine.transport.name !== name) await new Promise((resolve) => engine.once("upgrade", resolve));
      return engine.transport.name;
    },
    drop({ manager }, { client }) {
      manager._close();
      clients.delete(client);
    },
  };

  async function handle(message) {
    try {
      const isFirst = message.do === "connect" || message.do === "prepare";
      const client = isFirst ? [] : [clients.get(message.client)];
      report({ reply: message.id, value: await commands[message.do](...client, message) ?? null });
    } catch (error) {
      report({ reply: message.id, error: error.message });
    }
  }

  if (inNode) {
    const input = require("readline").createInterface({ input: process.stdin });
    input.on("line", (line) => handle(JSON.parse(line))).on("close", () => process.exit(0));
    const { version } = require(`${process.argv[2]}/package.json`);
    report({ ready: `socket.io-client ${version}` });
  } else {
    window.handle = handle;
  }
})();
