// The load generator:  node load.js <job as JSON>
//
// It brings one workload to the point where it can be measured, says {"phase": "ready"}, waits for a line, does the
// operations, and says {"phase": "done", …} with what it counted. Its connections stay open until its input ends.

const workloads = require("./load/workloads");

const job = JSON.parse(process.argv[2]);

// Far more than any job takes.
const TIMEOUT_MS = 240_000;

function say(phase, details = {}) {
  process.stdout.write(JSON.stringify({ phase, ...details }) + "\n");
}

function nextLine() {
  return new Promise((resolve) => process.stdin.once("data", resolve));
}

async function main() {
  const workload = await workloads[job.load](job);
  const go = nextLine();
  say("ready");
  await go;
  const start = performance.now();
  const { operations, latencies } = await workload();
  const seconds = (performance.now() - start) / 1000;
  say("done", { operations, seconds, ...(latencies ? latencies.percentiles() : {}) });
}

setTimeout(() => {
  console.error("not done in time");
  process.exit(1);
}, TIMEOUT_MS);
process.stdin.on("end", () => process.exit(0));
process.on("unhandledRejection", (error) => {
  console.error(error);
  process.exit(1);
});
main();
