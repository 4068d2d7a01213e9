// What the official client is used for. A scenario takes its task and arguments, and returns what it saw.
// `test_node_client.py` and others say what that should be.

const assert = require("assert");

// Waits for an event. Returns its arguments.
function next(emitter, event) {
  return new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));
}

// Waits for a number of events. Returns their arguments.
function collect(emitter, event, count) {
  return new Promise((resolve) => {
    const events = [];
    emitter.on(event, (...args) => events.push(args) === count && resolve(events));
  });
}

// Binary data as text, for a result.
function show(value) {
  if (value instanceof Uint8Array) return `<${Buffer.from(value).toString("hex")}>`;
  if (Array.isArray(value)) return value.map(show);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, show(inner)]));
}

async function errorOf(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return { message: error.message, data: error.data };
  }
}

exports.echoes_arguments = async (task) => {
  const socket = await task.connected();
  socket.emit("echo", 1, "two", [3], { four: null }, true, null, "\u001e\u2028\u0000é😀", undefined);
  const first = await next(socket, "echoed");
  socket.emit("echo");
  return [first, await next(socket, "echoed")];
};

exports.echoes_binary = async (task) => {
  const socket = await task.connected();
  socket.emit("echo", Buffer.from([0, 255]), { a: [new Uint8Array([1, 2]), Buffer.alloc(0)] }, "text");
  return show(await next(socket, "echoed"));
};

exports.gets_empty_attachments = async (task) => {
  const socket = await task.connected();
  socket.emit("binary_burst", 2);
  const events = await collect(socket, "burst", 2);
  return show([...events, await socket.emitWithAck("echo_ack", Buffer.alloc(0), Buffer.alloc(0))]);
};

exports.gets_acknowledgements = async (task) => {
  const socket = await task.connected();
  const answers = [];
  for (const event of ["return_none", "return_value", "return_tuple", "ack_twice"]) {
    answers.push(await new Promise((resolve) => socket.emit(event, (...args) => resolve(args))));
  }
  return [...answers, await socket.emitWithAck("echo_ack", "promise")];
};

exports.gets_binary_acknowledgements = async (task) => {
  const socket = await task.connected();
  return show(await new Promise((resolve) => socket.emit("echo_ack", 1, Buffer.from([7]), (...args) => resolve(args))));
};

exports.tires_of_waiting_for_an_acknowledgement = async (task) => {
  const socket = await task.connected();
  const late = await errorOf(socket.timeout(50).emitWithAck("hold", "nobody opens this gate"));
  return [late, await (await task.connected("/custom")).timeout(5000).emitWithAck("echo_ack", "in time")];
};

exports.acknowledges = async (task) => {
  const socket = await task.connected();
  socket.on("question", (...args) => args.pop()("answer", ...args));
  socket.emit("ask", "who", Buffer.from([1]));
  return show(await next(socket, "answered"));
};

exports.answers_calls = async (task) => {
  const socket = await task.connected();
  socket.once("question", (question, callback) => callback([question, 42]));
  socket.emit("call", 5, "why");
  const answered = await next(socket, "answered");
  socket.emit("call", 0.05, "and then says nothing");
  return [answered, await next(socket, "unanswered")];
};

exports.has_several_namespaces_on_one_connection = async (task) => {
  const sockets = await Promise.all(["/", "/custom", "/members"].map((namespace) =>
    task.connected(namespace, { auth: { token: "secret" } })));
  const answers = await Promise.all(sockets.map((socket) => socket.emitWithAck("echo_ack", socket.nsp)));
  assert.strictEqual(new Set(sockets.map((socket) => socket.id)).size, 3);
  sockets[1].disconnect();
  return [...answers, await sockets[0].emitWithAck("echo_ack", "still here"), sockets[2].connected];
};

exports.sends_its_auth = async (task) => {
  const socket = task.socket("/early", { auth: (callback) => callback({ name: "é", list: [1] }) });
  const first = next(socket, "auth");
  const second = next(socket, "second");
  socket.connect();
  return show([await first, await second]);
};

exports.is_refused = async (task) => {
  const refusals = [];
  for (const namespace of ["/nowhere", "/nowhere?a=b", "/false", "/none", "/refused", "/members"]) {
    const { message, data } = await errorOf(task.connected(namespace));
    refusals.push([namespace, message, data]);
  }
  return refusals;
};

exports.tries_again_with_the_right_token = async (task) => {
  const socket = task.socket("/members", { auth: { token: "wrong" } });
  socket.connect();
  const [error] = await next(socket, "connect_error");
  socket.auth.token = "secret";
  socket.connect();
  await next(socket, "connect");
  return [error.message, await socket.emitWithAck("echo_ack", "in")];
};

exports.emits_before_it_is_connected = async (task) => {
  const socket = task.socket();
  for (let i = 0; i < 3; i++) socket.emit("echo", i);
  socket.volatile.emit("echo", "lost");
  socket.connect();
  const echoes = await collect(socket, "echoed", 3);
  return [echoes, await socket.emitWithAck("echo_ack", "nothing more")];
};

exports.emits_volatile_events = async (task) => {
  const socket = await task.connected();
  await task.upgraded();
  socket.volatile.emit("echo", "arrives");
  return next(socket, "echoed");
};

exports.retries = async (task) => {
  const socket = await task.connected("/", { retries: 2, ackTimeout: 5000 });
  return Promise.all([1, 2, 3].map((number) => socket.emitWithAck("echo_ack", number)));
};

exports.uses_the_chat_of_the_documentation = async (task) => {
  const chat = task.socket("/chat");
  const welcome = next(chat, "system_message");
  chat.connect();
  const greeting = await welcome;
  const message = next(chat, "chat_message");
  const ack = await new Promise((resolve) => chat.emit("chat_message", { text: "Hello" }, resolve));
  return [greeting, await message, ack];
};

exports.meets_others_in_rooms = async (task, room) => {
  const [ann, bob] = [await task.connected(), await task.connected("/", {}, task.connect())];
  const heard = { ann: [], bob: [] };
  ann.on("hello", (number) => heard.ann.push(number));
  bob.on("hello", (number) => heard.bob.push(number));
  await ann.emitWithAck("join", room, room + "2");
  await bob.emitWithAck("join", room);
  await ann.emitWithAck("broadcast", { room }, "hello", 1);
  await ann.emitWithAck("broadcast", { room: [room, room + "2"] }, "hello", 2);
  await ann.emitWithAck("broadcast", { room, except_: ann.id }, "hello", 3);
  await ann.emitWithAck("broadcast", { room: bob.id }, "hello", 4);
  await bob.emitWithAck("leave", room);
  await ann.emitWithAck("broadcast", { room }, "hello", 5);
  // What was broadcast to a client before it is acknowledged something comes before that.
  await Promise.all([ann.emitWithAck("echo_ack"), bob.emitWithAck("echo_ack")]);
  return heard;
};

exports.reaches_clients_of_another_server = async (task, url) => {
  const [ann, bob] = [await task.connected(), await task.connected("/", {}, task.connect({}, url))];
  const heard = collect(bob, "hello", 3);
  await bob.emitWithAck("join", "room on another server");
  await ann.emitWithAck("broadcast", { room: "room on another server" }, "hello", Buffer.from([1, 255]), {
    deep: [Buffer.alloc(0)],
  });
  await ann.emitWithAck("broadcast", { room: bob.id }, "hello", "id");
  await ann.emitWithAck("broadcast", { except_: ann.id }, "hello", "é😀");
  return show(await heard);
};

exports.is_disconnected_by_the_server = async (task, close) => {
  const socket = await task.connected();
  await task.upgraded();
  const other = await task.connected("/custom");
  const reasons = Promise.all([next(socket, "disconnect"), close ? next(other, "disconnect") : ["stays"]]);
  socket.emit("burst_bye", 2, close);
  const burst = await collect(socket, "burst", 2);
  const [[reason], [otherReason]] = await reasons;
  return [burst, reason, otherReason, socket.active];
};

exports.disconnects = async (task) => {
  const socket = await task.connected();
  await task.upgraded();
  task.news(socket.id);
  const reason = next(socket, "disconnect");
  socket.disconnect();
  return reason;
};

exports.closes_its_connection = async (task) => {
  const socket = await task.connected();
  await task.upgraded();
  task.news(socket.id);
  const reason = next(socket, "disconnect");
  task.manager.engine.close();
  return (await reason)[0];
};

// Waits for events. Returns the transports that events came by, if they came in order.
function transportsOf(socket, event, count) {
  return new Promise((resolve, reject) => {
    const transports = [];
    let expected = 0;
    socket.on(event, (number) => {
      if (number !== expected++) reject(new Error(`${number} instead of ${expected - 1}`));
      const { name } = socket.io.engine.transport;
      if (transports.at(-1) !== name) transports.push(name);
      if (expected === count) resolve(transports);
    });
  });
}

// Connects, and leaves it to the scenario when to upgrade: by itself, the client does so before it may emit.
async function connectedBeforeItsUpgrade(task) {
  const socket = await task.connected("/", {}, task.connect({ upgrade: false }));
  const upgrade = () => task.transport === "upgrade" && socket.io.engine._probe("websocket");
  return [socket, upgrade];
}

exports.keeps_the_order_of_its_events = async (task, count) => {
  const [socket, upgrade] = await connectedBeforeItsUpgrade(task);
  const transports = transportsOf(socket, "echoed", count);
  const send = (first, last) => {
    for (let i = first; i < last; i++) socket.emit("echo", i);
  };
  const first = next(socket, "echoed");
  send(0, count / 4);
  await first;
  upgrade();
  send(count / 4, count / 2);
  // The client holds back what it is given while it waits for the end of its last poll.
  if (task.transport === "upgrade") await next(socket.io.engine, "upgrading");
  send(count / 2, count * 0.75);
  await task.upgraded(socket.io);
  send(count * 0.75, count);
  return transports;
};

exports.gets_events_in_order = async (task, count) => {
  const [socket, upgrade] = await connectedBeforeItsUpgrade(task);
  const other = await task.connected("/", {}, task.connect({ transports: ["websocket"] }));
  const transports = transportsOf(socket, "number", count);
  // Acknowledged, so that the server is never far behind.
  const send = async (first, last) => {
    for (let i = first; i < last; i++) await other.emitWithAck("broadcast", { room: socket.id }, "number", i);
  };
  const first = next(socket, "number");
  await send(0, 1);
  await first;
  upgrade();
  await Promise.all([send(1, count * 0.75), task.upgraded(socket.io)]);
  await send(count * 0.75, count);
  return transports;
};

exports.exchanges_large_messages = async (task, size) => {
  const socket = await task.connected();
  await task.upgraded();
  const [text] = [await socket.emitWithAck("echo_ack", "é" + "x".repeat(size))];
  // Base64 makes a third more of binary data, on polling.
  const binary = await socket.emitWithAck("echo_ack", Buffer.alloc(size * 0.7, 7));
  return [text.length, text.slice(0, 2), binary.length, Buffer.from(binary).every((byte) => byte === 7)];
};

exports.gets_a_burst = async (task, count, size) => {
  const socket = await task.connected();
  const events = collect(socket, "burst", count);
  socket.emit("burst", count, size);
  return (await events).map(([number, text]) => [number, text.length]);
};

exports.moves_to_websocket = async (task) => {
  const before = Date.now();
  const socket = await task.connected();
  const name = await task.upgraded();
  return [name, await socket.emitWithAck("echo_ack", "there"), Date.now() - before < 3000];
};

exports.stays_connected = async (task, milliseconds) => {
  const socket = await task.connected();
  let pings = 0;
  task.manager.on("ping", () => pings++);
  const lost = next(socket, "disconnect");
  const time = new Promise((resolve) => setTimeout(() => resolve("connected"), milliseconds));
  const outcome = await Promise.race([lost, time]);
  return [outcome, pings >= 3, await socket.emitWithAck("echo_ack", "alive")];
};

exports.comes_back_after_a_restart = async (task) => {
  const manager = task.connect({ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100 });
  const socket = await task.connected("/", {}, manager);
  await task.upgraded(manager);
  const first = socket.id;
  task.news("connected");
  const [reason] = await next(socket, "disconnect");
  await next(socket, "connect");
  return [reason, socket.id !== first, await socket.emitWithAck("echo_ack", "back")];
};

exports.sees_the_server_go = async (task) => {
  const socket = await task.connected();
  await task.upgraded();
  const lost = next(socket, "disconnect");
  task.news(socket.id);
  return (await lost)[0];
};
