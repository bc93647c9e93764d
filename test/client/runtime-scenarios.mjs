// Runs in any environment with a WebSocket, including browsers, so it uses only its parameters and
// what all of them have. `tell` calls an action of the test and resolves with its answer.

const topic = 'history/runtime';

const until = (done) =>
  new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!done()) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });

/** What a subscription receives: the offsets of events, and the types of other messages. */
function logOf(client) {
  const log = [];
  client.subscribe(topic, (message) => {
    log.push(message.type === 'event' ? message.position.offset : message.type);
  });
  return log;
}

/** A refused handshake, then an accepted one. */
async function refusedThenOpenMs(connect, url, options) {
  const startMs = performance.now();
  const client = connect(url, {
    ...options,
    credential: ({ reason }) => (reason === 'connect' ? 'refused' : 'somebody'),
  });
  // Outside of a page a client dials when it is first used.
  client.on('status', () => {});
  await until(() => client.state === 'waiting');
  await until(() => client.state === 'open');
  client.close();
  return Math.round(performance.now() - startMs);
}

/** Covers the snapshot, a renewed credential, three kinds of cut, and publications during each. */
async function day(connect, url, tell, options) {
  const [seen, asked, errors] = [{}, [], []];
  // A busy machine may be late, so a real delay must show in three attempts.
  for (let attempt = 0; attempt < 3 && !(seen.refusedThenOpenMs < 1_500); attempt++)
    seen.refusedThenOpenMs = await refusedThenOpenMs(connect, url, options);
  const client = connect(url, {
    ...options,
    credential: ({ reason }) => {
      asked.push(reason);
      return reason === 'connect' ? 'runtime~2000' : 'runtime';
    },
  });
  let cuts = 0;
  client.on('error', (error) => errors.push(String(error)));
  client.on('status', ({ state }) => {
    if (state === 'waiting') cuts += 1;
  });
  const log = logOf(client);
  await until(() => log.length === 1);
  await until(() => asked.includes('refresh'));
  await tell('publish');
  await until(() => log.at(-1) === 1);
  seen.cutsBefore = cuts;
  for (const [how, last] of [
    ['reset', 3],
    ['end', 5],
  ]) {
    const before = cuts;
    await tell(how);
    await tell('publish');
    await until(() => cuts > before && client.state === 'open');
    await tell('publish');
    await until(() => log.at(-1) === last);
  }
  await tell('restart');
  await until(() => log.at(-1) === 'lost');
  await tell('publish');
  await until(() => log.at(-1) === 1);
  seen.published = (await client.publish(topic, 'mine')).offset;
  await until(() => log.at(-1) === 2);
  client.close();
  return { ...seen, log, asked, errors, state: client.state };
}

/**
 * The link is silent for two and a half ping intervals. Then the network silently drops it while
 * publications continue.
 */
async function silence(connect, url, tell, options) {
  const client = connect(url, { ...options, credential: () => 'runtime' });
  const log = logOf(client);
  await until(() => log.length === 1);
  const messagesInSilence = Number(await tell('silent'));
  // A message restarts the silence, so that both intervals follow it.
  await tell('publish');
  await until(() => log.at(-1) === 1);
  await tell('forget');
  const forgottenMs = performance.now();
  await tell('publish');
  await tell('publish');
  await until(() => client.state !== 'open');
  const noticedMs = Math.round(performance.now() - forgottenMs);
  const messagesUnheard = Number(await tell('unheard'));
  await until(() => log.at(-1) === 3);
  await tell('publish');
  await until(() => log.at(-1) === 4);
  client.close();
  return { messagesInSilence, noticedMs, messagesUnheard, log };
}

export const scenarios = { day, silence };
