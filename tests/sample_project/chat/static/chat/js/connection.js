// Two namespaces on one connection, and the transport that carries them.

const TRANSPORTS = {
  auto: ["polling", "websocket"],
  polling: ["polling"],
  websocket: ["websocket"],
};

export function createConnection(choice, onTransport) {
  const options = { autoConnect: false, transports: TRANSPORTS[choice], reconnectionDelay: 500, reconnectionDelayMax: 3000 };
  const status = window.io("/status", options);
  const chat = window.io("/chat", options);
  const manager = chat.io;

  manager.on("open", () => {
    const engine = manager.engine;
    onTransport(engine.transport.name);
    engine.on("upgrade", (transport) => onTransport(transport.name));
  });
  manager.on("close", () => onTransport(null));

  // A namespace that the server ends, when it shuts down for example, is not opened again by itself.
  for (const socket of [status, chat]) {
    socket.on("disconnect", (reason) => {
      if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1000);
    });
  }

  return {
    status,
    chat,
    useTransport(name) {
      const active = [status, chat].filter((socket) => socket.active);
      for (const socket of active) socket.disconnect();
      manager.opts.transports = TRANSPORTS[name];
      for (const socket of active) socket.connect();
    },
  };
}

export function transportFromAddress() {
  const name = new URLSearchParams(location.search).get("transport");
  return Object.hasOwn(TRANSPORTS, name) ? name : "auto";
}

export function addressWithTransport(name) {
  const address = new URL(location.href);
  if (name === "auto") address.searchParams.delete("transport");
  else address.searchParams.set("transport", name);
  return address;
}
