// Runs the client in any runtime that has a WebSocket: `<runtime> runtime-scenarios.mjs <client module> <url> <control url>`.
// Prints one line of JSON with what was seen. The control URL makes the server publish and cut.
const [, , module, url, control] = globalThis.Deno === undefined ? process.argv : ['', '', ...Deno.args];
const { connect } = await import(module);

const tell = async (what) => {
  await (await fetch(`${control}/${what}`)).text();
};
const until = (done) =>
  new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!done()) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
const seen = {};

// A refused handshake, then a good one.
const refused = [];
const startMs = performance.now();
const client = connect(url, {
  credential: ({ reason }) => {
    refused.push(reason);
    return reason === 'connect' ? 'refused' : 'runtime';
  },
});
await until(() => client.state === 'waiting');
await until(() => client.state === 'open');
seen.refusedThenOpenMs = Math.round(performance.now() - startMs);
seen.asked = refused;

// The snapshot, publications, and a cut of each kind, with publications while it is away.
const log = [];
client.subscribe('history/runtime', (message) => {
  log.push(message.type === 'event' ? message.position.offset : message.type);
});
await until(() => log.length === 1);
await tell('publish');
await until(() => log.at(-1) === 1);
let cuts = 0;
client.on('status', ({ state }) => {
  if (state === 'waiting') cuts += 1;
});
for (const how of ['reset', 'end']) {
  const before = cuts;
  await tell(how);
  await tell('publish');
  await until(() => cuts > before && client.state === 'open');
  await tell('publish');
  const last = how === 'reset' ? 3 : 5;
  await until(() => log.at(-1) === last);
}
seen.log = [...log];
seen.published = (await client.publish('history/runtime', 'mine')).offset;
client.close();
seen.state = client.state;
console.log(JSON.stringify(seen));
