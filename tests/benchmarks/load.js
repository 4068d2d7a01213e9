// The load generator:  node load.js
//
// Each line of its input is told to it in turn: a job as JSON, and then "go". It brings the workload to the point where
// it can be measured and says {"phase": "ready"}; told to go, it does the operations and says {"phase": "done", …} with
// what it counted. Its connections, those of earlier jobs too, stay open until its input ends.

const readline = require("readline");

const workloads = require("./load/workloads");

// Far more than any job takes, from its line to its end.
const TIMEOUT_MS = 240_000;

function say(phase, details = {}) {
  process.stdout.write(JSON.stringify({ phase, ...details }) + "\n");
}

async function measured(workload) {
  const start = performance.now();
  const { operations, latencies } = await workload();
  const seconds = (performance.now() - start) / 1000;
  return { operations, seconds, ...(latencies ? latencies.percentiles() : {}) };
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

async function main() {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for (;;) {
    const { value: line } = await lines.next();
    const timer = setTimeout(() => fail("not done in time"), TIMEOUT_MS);
    const job = JSON.parse(line);
    const workload = await workloads[job.load](job);
    say("ready");
    await lines.next();
    say("done", await measured(workload));
    clearTimeout(timer);
  }
}

process.stdin.on("end", () => process.exit(0));
process.on("unhandledRejection", fail);
main();
