// What tests ask of the official servers behind their clients' backs, as project/control.py does.

module.exports = (...engines) => {
  const clients = () => engines.flatMap((engine) => Object.values(engine.clients));
  const hasPoll = ({ transport }) => transport.name === "polling" && transport.req;
  return {
    sessions: () => clients().length,
    polls: () => clients().filter(hasPoll).map(({ id }) => id),
  };
};
