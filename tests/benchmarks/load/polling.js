// A Socket.IO client over HTTP long-polling, with one TCP connection for its polls and one for its POSTs.

const http = require("http");

const SEPARATOR = "\x1e";

class PollingClient {
  static async open(url) {
    const client = new PollingClient(url);
    const handshake = await client.request("GET", client.path);
    client.path += `&sid=${JSON.parse(handshake.slice(1)).sid}`;
    await client.post("40");
    await client.poll();
    return client;
  }

  constructor(url) {
    const { hostname, port } = new URL(url);
    this.address = { hostname, port };
    this.path = "/socket.io/?EIO=4&transport=polling";
    this.agents = {
      GET: new http.Agent({ keepAlive: true, maxSockets: 1 }),
      POST: new http.Agent({ keepAlive: true, maxSockets: 1 }),
    };
  }

  request(method, path, body) {
    return new Promise((resolve, reject) => {
      const headers = body ? { "content-type": "text/plain;charset=UTF-8", "content-length": body.length } : {};
      const options = { ...this.address, method, path, headers, agent: this.agents[method] };
      const request = http.request(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => (text += part));
        response.on("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  post(body) {
    return this.request("POST", this.path, body);
  }

  // Resolves to the next packets that are no pings.
  async poll() {
    for (;;) {
      const packets = (await this.request("GET", this.path)).split(SEPARATOR);
      const messages = packets.filter((packet) => packet !== "2");
      if (messages.length < packets.length) await this.post("3");
      if (messages.length) return messages;
    }
  }

  // Sends an event and polls for its acknowledgement.
  async call(id, text) {
    await this.post(`42${id}${text}`);
    expectAck(id, await this.poll());
  }

  // Sends an event while a poll waits, as the official client does.
  async callWaiting(id, text) {
    const [packets] = await Promise.all([this.poll(), this.post(`42${id}${text}`)]);
    expectAck(id, packets);
  }
}

function expectAck(id, packets) {
  if (!packets[0].startsWith(`43${id}[`)) throw new Error(`no acknowledgement of ${id}: ${packets}`);
}

module.exports = { PollingClient };
