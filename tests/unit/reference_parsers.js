"use strict";
// Answers each line of standard input, a JSON array, with a line that says what the official parser makes of it:
//   ["socket.io-parser", message, …]   → [packet | null, …], one for each message, up to the first error ("error")
//   ["engine.io-parser", payload]      → [packet, …], one for each segment, up to the first error ("error")
// A message is a string, or {"$binary": base64}; so is binary data in an answer. What JSON cannot say of a number is
// {"$number": its name}.

const { createRequire } = require("node:module");
const path = require("node:path");
const readline = require("node:readline");

// The packages of the repository, or those of NODE_PATH.
const load = createRequire(path.join(__dirname, "..", "..", "package.json"));
const { Decoder } = load("socket.io-parser");
const { decodePayload } = load("engine.io-parser");

const readers = {
  "socket.io-parser": (...messages) => {
    const decoder = new Decoder();
    const answer = [];
    decoder.on("decoded", (packet) => (answer[answer.length - 1] = packet));
    for (const message of messages) {
      answer.push(null);
      try {
        decoder.add(typeof message === "string" ? message : Buffer.from(message.$binary, "base64"));
      } catch {
        answer[answer.length - 1] = "error";
        break;
      }
    }
    return answer;
  },
  "engine.io-parser": (payload) =>
    decodePayload(payload).map((packet) => (packet.type === "error" ? "error" : packet)),
};

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
  const [parser, ...input] = JSON.parse(line);
  process.stdout.write(JSON.stringify(readers[parser](...input), replacer) + "\n");
});
