// Latencies of operations, in microseconds.

class Latencies {
  constructor(capacity) {
    this.values = new Float64Array(capacity);
    this.count = 0;
  }

  since(start) {
    this.values[this.count++] = (performance.now() - start) * 1000;
  }

  percentiles() {
    const sorted = this.values.subarray(0, this.count).sort();
    const at = (part) => Math.round(sorted[Math.min(this.count - 1, Math.floor(this.count * part))]);
    return { p50: at(0.5), p99: at(0.99) };
  }
}

module.exports = { Latencies };
