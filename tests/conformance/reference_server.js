// The official server with the namespaces of project/consumers.py:  node reference_server.js <port> <options as JSON>

const { createServer } = require("http");
const { Server } = require("socket.io");

const [port, options] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const http = createServer();
const io = new Server(http, options);
// A server of its own, as an application that is mounted elsewhere.
const mounted = new Server(http, { ...options, path: "/mounted" });

const gates = new Map();

function gate(name) {
  if (!gates.has(name)) {
    const entry = {};
    entry.opened = new Promise((resolve) => (entry.open = resolve));
    gates.set(name, entry);
  }
  return gates.get(name);
}

function report(socket, hook, details) {
  console.log("HOOK", JSON.stringify({ hook, id: socket.id, namespace: socket.nsp.name, ...details }));
}

function rooms(socket) {
  return [...socket.rooms].filter((room) => room !== socket.id).sort();
}

// What `value` emits: things that JSON has no word for.
const values = {
  date: new Date("2026-11-21T09:30:00.250Z"),
  nothing: undefined,
  "nothing in an object": { a: null },
  "not a number": NaN,
  infinity: Infinity,
};

const handlers = {
  echo: (socket, ...args) => socket.emit("echoed", ...args),
  echo_ack: (socket, ...args) => args.pop()(...args),
  message: (socket, ...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
    socket.send(...args);
    ack("sent");
  },
  ack_later: async (socket, name, ack) => {
    await gate(name).opened;
    ack("late");
  },
  ack_twice: (socket, ack) => {
    ack(1);
    ack(2);
  },
  return_none: (socket, ack) => ack(),
  return_value: (socket, ack) => ack([1, 2]),
  return_tuple: (socket, ack) => ack(1, 2),
  value: (socket, name) => socket.emit("value", values[name]),
  // Also emitted by the server itself, for a packet that it cannot decode.
  error: (socket, ...args) => typeof args.at(-1) === "function" && args.pop()(...args),
  1: (socket, ...args) => args.pop()(...args),
  ask: (socket, ...args) => socket.emit("question", ...args, (...answer) => socket.emit("answered", ...answer)),
  call: async (socket, timeout, ...args) => {
    try {
      socket.emit("answered", await socket.timeout(timeout * 1000).emitWithAck("question", ...args));
    } catch (error) {
      socket.emit("unanswered", "AckTimeout");
    }
  },
  join: async (socket, ...args) => {
    const ack = args.pop();
    await socket.join(args);
    ack(rooms(socket));
  },
  try_to_join: (socket, ...args) => handlers.join(socket, ...args),
  leave: async (socket, ...args) => {
    const ack = args.pop();
    for (const room of args) await socket.leave(room);
    ack(rooms(socket));
  },
  leave_all: (socket, ack) => {
    for (const room of rooms(socket)) socket.leave(room);
    ack(rooms(socket));
  },
  broadcast: (socket, { namespace, room, except_ }, event, ...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
    let target = io.of(namespace ?? socket.nsp.name);
    if (room != null) target = target.to(room);
    if (except_) target = target.except(except_);
    target.emit(event, ...args);
    ack(true);
  },
  operate: (socket, start, steps, ...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
    let operator = start === "socket" ? socket : io.of(socket.nsp.name);
    for (const [step, ...rooms] of steps) {
      const name = step === "except_" ? "except" : step;
      operator = rooms.length ? operator[name](...rooms) : operator[name];
    }
    operator.emit(...args);
    ack(true);
  },
  burst: (socket, count, size = 0) => {
    for (let i = 0; i < count; i++) socket.emit("burst", i, "x".repeat(size));
  },
  volatile: (socket, ...events) => events.forEach((event) => socket.volatile.emit(event)),
  binary_burst: (socket, count) => {
    for (let i = 0; i < count; i++) socket.emit("burst", i, Buffer.from(String(i)), Buffer.alloc(0));
  },
  bye: (socket, close = false) => socket.disconnect(close),
  burst_bye: (socket, count, close = false) => {
    handlers.burst(socket, count);
    socket.disconnect(close);
  },
  bye_ack: (socket, ack) => {
    socket.disconnect();
    ack("late");
  },
  bye_emit: (socket) => {
    socket.disconnect();
    socket.emit("late");
  },
  hold: async (socket, name, ...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
    report(socket, "hold", { gate: name });
    await gate(name).opened;
    ack(args);
  },
  release: (socket, name) => gate(name).open(),
};

function serve(namespace) {
  namespace.on("connection", (socket) => {
    report(socket, "connect");
    let left = [];
    socket.on("disconnecting", () => (left = rooms(socket)));
    socket.on("disconnect", (reason) => report(socket, "disconnect", { reason, rooms: left }));
    for (const [event, handler] of Object.entries(handlers)) {
      socket.on(event, (...args) => handler(socket, ...args));
    }
  });
  return namespace;
}

function refuse(name, message, data) {
  serve(io.of(name)).use((socket, next) => next(Object.assign(new Error(message), data && { data })));
}

serve(io.of("/"));
serve(io.of("/custom"));
serve(mounted.of("/inner"));
refuse("/false", "Not authorized");
refuse("/none", "Not authorized");
refuse("/refused", "no entry", { code: 7 });

io.of("/early").on("connection", (socket) => {
  socket.emit("auth", socket.handshake.auth);
  socket.emit("second", Buffer.from([1]));
});

serve(io.of("/members")).use((socket, next) => {
  next(socket.handshake.auth.token === "secret" ? undefined : new Error("wrong token"));
});

serve(io.of("/gated")).use(async (socket, next) => {
  const { gate: name, accept = true } = socket.handshake.auth;
  socket.join("gated");
  report(socket, "asked", { gate: name });
  await gate(name).opened;
  next(accept ? undefined : new Error("Not authorized"));
});

serve(io.of("/ghost")).use((socket, next) => {
  socket.join("ghosts");
  next(socket.handshake.auth.please ? undefined : new Error("Not authorized"));
});

serve(io.of("/outspoken")).use((socket, next) => {
  socket.emit("early", 1);
  next(socket.handshake.auth.please ? undefined : new Error("Not authorized"));
});

io.of("/chat").on("connection", (socket) => {
  socket.join("lobby");
  socket.emit("system_message", { text: "Welcome!" });
  socket.on("chat_message", (payload, ack = () => {}) => {
    io.of("/chat").to("lobby").emit("chat_message", { text: payload.text ?? "" });
    ack({ status: "ok" });
  });
});

require("./reference_control.js")(http, [io.engine], {
  close: (_, response) => {
    response.on("finish", () => io.close());
  },
});

http.listen(port, "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => process.exit(0));
