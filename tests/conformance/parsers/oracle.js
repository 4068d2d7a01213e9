"use strict";
// Answers each line of standard input, a JSON array of requests, with a line that is a JSON array of answers:
//   ["decode", layer, [message, …]]  →  [packet | null, …], up to the first error ("error")
//   ["encode", layer, [packet, …]]   →  [message, …]
// The layers are those of layers.py. A message is a string or {"$binary": base64}, as is binary data in a packet; what
// JSON cannot say of a number is {"$number": its name}.

const { createRequire } = require("node:module");
const path = require("node:path");
const readline = require("node:readline");

// The packages of the repository, or those of NODE_PATH.
const load = createRequire(path.join(__dirname, "..", "..", "..", "package.json"));
const { Decoder, Encoder, PacketType } = load("socket.io-parser");
const engine = load("engine.io-parser");

const fromEngine = (packet) => (packet.type === "error" ? "error" : { data: "", ...packet });

function fromSocket({ type, nsp, data, id }) {
  return { type: PacketType[type], namespace: nsp, data: isDeep(data) ? "deeper than can be told" : data, id };
}

// Whether JSON.stringify, or who reads it, might have too small a stack for it.
function isDeep(data) {
  let level = [data];
  for (let depth = 0; depth < 200 && level.length; depth++) {
    level = level.flatMap((value) =>
      value && typeof value === "object" && !Buffer.isBuffer(value) ? Object.values(value) : [],
    );
  }
  return level.length > 0;
}

function untilError(packets) {
  const end = packets.indexOf("error");
  return end < 0 ? packets : packets.slice(0, end + 1);
}

const layers = {
  "engine.io frames": {
    decode: (frames) => untilError(frames.map((frame) => fromEngine(engine.decodePacket(frame)))),
    encode: (packets) =>
      packets.map((packet) => {
        let frame;
        engine.encodePacket(packet, true, (encoded) => (frame = encoded));
        return frame;
      }),
  },
  "engine.io payloads": {
    // A body is read as UTF-8 by engine.io, and then parsed.
    decode: ([body]) => engine.decodePayload(body.toString("utf8")).map(fromEngine),
    encode: (packets) => {
      let payload;
      engine.encodePayload(packets, (encoded) => (payload = encoded));
      return [payload];
    },
  },
  "socket.io": {
    decode: (messages) => {
      const decoder = new Decoder();
      const answer = [];
      decoder.on("decoded", (packet) => (answer[answer.length - 1] = fromSocket(packet)));
      for (const message of messages) {
        answer.push(null);
        try {
          decoder.add(message);
        } catch {
          answer[answer.length - 1] = "error";
          break;
        }
      }
      return answer;
    },
    encode: (packets) =>
      packets.flatMap(({ type, namespace, data, id }) =>
        new Encoder().encode({ type: PacketType[type], nsp: namespace, data, id }),
      ),
  },
};

function reviver(key, value) {
  return value && typeof value.$binary === "string" ? Buffer.from(value.$binary, "base64") : value;
}

function replacer(key, value) {
  const original = this[key];
  if (Buffer.isBuffer(original)) {
    return { $binary: original.toString("base64") };
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    return { $number: String(value) };
  }
  return value;
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const answers = JSON.parse(line, reviver).map(([direction, layer, input]) => layers[layer][direction](input));
  process.stdout.write(JSON.stringify(answers, replacer) + "\n");
});
