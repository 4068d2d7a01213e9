// What tests ask of the official servers behind their clients' backs, as project/control.py does.

module.exports = (http, engines, more = {}) => {
  const clients = () => engines.flatMap((engine) => Object.values(engine.clients));
  const hasPoll = ({ transport }) => transport.name === "polling" && transport.req;
  const commands = {
    sessions: () => clients().length,
    polls: () => clients().filter(hasPoll).map(({ id }) => id),
    alarm: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds, null)),
    ...more,
  };
  http.on("request", async (request, response) => {
    const [, name, number] = /^\/control\/(\w+)(?:\/(\d+))?$/.exec(request.url) ?? [];
    if (!commands[name]) return;
    response.setHeader("connection", "close");
    response.end(JSON.stringify((await commands[name](Number(number), response)) ?? null));
  });
};
