// The official server with its defaults:  node node.js <port>

const { createServer } = require("http");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http, { pingInterval: Number(process.env.BENCHMARK_PING_INTERVAL_MS ?? 25_000) });

io.on("connection", (socket) => {
  socket.on("echo", (payload, ack) => ack(payload));
  socket.on("join", async (ack) => {
    await socket.join("room");
    ack();
  });
  socket.on("broadcast", (payload) => io.to("room").emit("news", payload));
});

http.listen(Number(process.argv[2]), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
