// The workloads. Each opens its connections and warms the server up, and returns the function that is measured.

const { Latencies } = require("./latencies");
const { PollingClient } = require("./polling");
const { WebSocketClient } = require("./websocket");

const CONCURRENT_CONNECTS = 50;
const JOIN = '["join"]';
const PLACEHOLDER = '["echo",{"_placeholder":true,"num":0}]';

function warmUpOf(job) {
  return job.warmUp ?? Math.ceil(job.operations / 10);
}

// Calls `operation` so many times, up to `limit` of them at a time.
async function inParallel(count, limit, operation) {
  let started = 0;
  const worker = async () => {
    while (started < count) await operation(started++);
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, worker));
}

async function openMany(url, count) {
  const clients = [];
  await inParallel(count, CONCURRENT_CONNECTS, async () => clients.push(await WebSocketClient.open(url)));
  return clients;
}

// Returns a function that sends events, `inFlight` at a time on each connection, each with the id of a slot. `finish` of
// the client is to be called with the slot whose acknowledgement came, which is free for the next event then.
function echo(clients, inFlight, send) {
  return (operations) => {
    const latencies = new Latencies(operations);
    let started = 0;
    return new Promise((resolve) => {
      const start = (client, slot) => {
        if (started === operations) return;
        started++;
        client.startedAt[slot] = performance.now();
        send(client, slot);
      };
      for (const client of clients) {
        client.startedAt = [];
        client.finish = (slot) => {
          latencies.since(client.startedAt[slot]);
          if (latencies.count === operations) resolve({ operations, latencies });
          else start(client, slot);
        };
      }
      for (let slot = 0; slot < inFlight; slot++) clients.forEach((client) => start(client, slot));
    });
  };
}

async function event(job) {
  const clients = await openMany(job.url, job.connections);
  const text = JSON.stringify(["echo", "x".repeat(job.payload)]);
  for (const client of clients) client.onAck = (slot) => client.finish(slot);
  const run = echo(clients, job.inFlight, (client, slot) => client.emit(slot, text));
  await run(warmUpOf(job));
  return () => run(job.operations);
}

async function binary(job) {
  const clients = await openMany(job.url, job.connections);
  const attachment = Buffer.alloc(job.payload, 1);
  for (const client of clients) {
    let acked;
    client.onAck = (slot) => (acked = slot);
    client.onAttachment = (data) => {
      if (data.length !== job.payload) throw new Error(`an attachment of ${data.length} bytes`);
      client.finish(acked);
    };
  }
  const run = echo(clients, job.inFlight, (client, slot) => client.emitBinary(slot, PLACEHOLDER, attachment));
  await run(warmUpOf(job));
  return () => run(job.operations);
}

// Broadcasts to a room, `inFlight` at a time: the next one starts when all members have one. `job.trigger` is the
// server that is told to broadcast, if it is another one than that of the members.
async function broadcast(job) {
  const members = await openMany(job.url, job.connections);
  await Promise.all(members.map((member) => member.call(JOIN)));
  const trigger = job.trigger ? await WebSocketClient.open(job.trigger) : members[0];
  const text = JSON.stringify(["broadcast", "x".repeat(job.payload)]);
  const run = (operations) => broadcasts(members, trigger, text, operations / members.length, job.inFlight);
  if (job.trigger) await untilReached(members, trigger);
  await run(Math.ceil(warmUpOf(job) / members.length) * members.length);
  return () => run(job.operations);
}

// A process may acknowledge `join` before its subscription holds: broadcasts till one arrives, and the last one did.
function untilReached(members, trigger) {
  let last = 0;
  const latest = new Map();
  return new Promise((resolve) => {
    const emit = () => trigger.emit("", JSON.stringify(["broadcast", ++last]));
    const timer = setInterval(emit, 100);
    for (const member of members) {
      member.onEvent = (frame) => {
        clearInterval(timer);
        latest.set(member, JSON.parse(frame.toString().slice(2))[1]);
        if (latest.size === members.length && [...latest.values()].every((number) => number === last)) resolve();
      };
    }
    emit();
  });
}

function broadcasts(members, trigger, text, count, inFlight) {
  const latencies = new Latencies(count * members.length);
  const [started, missing] = [[], []];
  return new Promise((resolve) => {
    const start = () => {
      if (started.length === count) return;
      missing.push(members.length);
      started.push(performance.now());
      trigger.emit("", text);
    };
    for (const member of members) {
      // Broadcasts reach a member in their order, so the number of a delivery is that of its broadcast.
      let received = 0;
      member.onEvent = () => {
        const index = received++;
        latencies.since(started[index]);
        if (--missing[index]) return;
        if (index === count - 1) resolve({ operations: latencies.count, latencies });
        else start();
      };
    }
    for (let i = 0; i < inFlight; i++) start();
  });
}

async function polling(job) {
  const clients = await Promise.all(Array.from({ length: job.connections }, () => PollingClient.open(job.url)));
  const text = JSON.stringify(["echo", "x".repeat(job.payload)]);
  const run = async (operations) => {
    const latencies = new Latencies(operations);
    const idle = [...clients];
    await inParallel(operations, clients.length, async (index) => {
      const client = idle.pop();
      const start = performance.now();
      await (job.waiting ? client.callWaiting(index, text) : client.call(index, text));
      latencies.since(start);
      idle.push(client);
    });
    return { operations: latencies.count, latencies };
  };
  await run(warmUpOf(job));
  return () => run(job.operations);
}

async function connect(job) {
  const run = async (operations) => {
    const latencies = new Latencies(operations);
    await inParallel(operations, job.concurrent ?? CONCURRENT_CONNECTS, async () => {
      const start = performance.now();
      await WebSocketClient.open(job.url);
      latencies.since(start);
    });
    return { operations: latencies.count, latencies };
  };
  await run(warmUpOf(job));
  return () => run(job.operations);
}

// Connections that are idle. Some came and went before, so that what a server allocates once is no part of it.
async function idle(job) {
  const early = await openMany(job.url, job.warmUp);
  await Promise.all(early.map((client) => client.close()));
  return async () => ({ operations: (await openMany(job.url, job.operations)).length });
}

// The pings of idle connections: as many as there are in `job.operations`, whenever the server sends them.
async function heartbeat(job) {
  const clients = await openMany(job.url, job.connections);
  return () =>
    new Promise((resolve) => {
      let pings = 0;
      const onPing = () => ++pings === job.operations && resolve({ operations: pings });
      for (const client of clients) client.onPing = onPing;
    });
}

module.exports = { event, binary, broadcast, polling, connect, idle, heartbeat };
