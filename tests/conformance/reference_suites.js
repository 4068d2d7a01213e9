// What the official protocol suites talk to, on the official servers:  node reference_suites.js <port> <options as JSON>

const { createServer } = require("http");
const engineio = require("engine.io");
const { Server } = require("socket.io");

const [port, options] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const http = createServer();
const { connectTimeout, ...engineOptions } = options;

const echo = engineio.attach(http, { ...engineOptions, path: "/engine.io/" });
echo.on("connection", (socket) => {
  socket.on("message", (data) => socket.send(data));
});

const io = new Server(http, options);

for (const name of ["/", "/custom"]) {
  io.of(name).on("connection", (socket) => {
    socket.emit("auth", socket.handshake.auth);
    socket.on("message", (...args) => socket.emit("message-back", ...args));
    socket.on("message-with-ack", (...args) => args.pop()(...args));
    socket.on("disconnect", (reason) =>
      console.log("HOOK", JSON.stringify({ hook: "disconnect", id: socket.id, namespace: name, reason })),
    );
  });
}

require("./reference_control.js")(http, [echo, io.engine]);

http.listen(port, "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => process.exit(0));
