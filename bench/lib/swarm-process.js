// All clients of a run, in one process on its own core.
import process from 'node:process';
import { loadPeer } from '../peers/peer.js';
import { Account } from './account.js';
import { answer } from './asking.js';
import { StreamClient } from './stream-client.js';
import { SwarmClient } from './swarm-client.js';

/** One client in 16 takes latency samples. */
const sampleEvery = 16;
/** One client in 4 of those that stop reading keeps an account. */
const accountEvery = 4;
const lateMs = 15_000;
const requestsMs = 60_000;
/** Wait after the last delivery, to detect repeated ones. */
const settleMs = 100;

/** @type {Map<string, SwarmClient[]>} */
const groups = new Map();
let delivered = 0;
let onAll = () => {};
let wanted = Infinity;
let cpuStart = process.cpuUsage();

function onEvent() {
  delivered += 1;
  if (delivered === wanted) onAll();
}

/** Resolves with `undefined` after `ms`. */
function within(promise, ms) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

answer({
  async open({ group, peer, port, topics, concurrency, firstIndex = 0, ...options }) {
    const { dialect } = await loadPeer(peer);
    const Client = dialect.messagesPath === undefined ? SwarmClient : StreamClient;
    const clients = topics.map((its) => new Client(dialect, its, onEvent, options));
    const start = performance.now();
    let next = 0;
    const worker = async () => {
      for (let index = next++; index < clients.length; index = next++)
        await clients[index].open(port, firstIndex + index);
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    groups.set(group, clients);
    return { ms: performance.now() - start };
  },

  begin({ group }) {
    delivered = 0;
    wanted = Infinity;
    groups.get(group).forEach((client, i) => client.reset(i % sampleEvery === 0));
    cpuStart = process.cpuUsage();
  },

  /** Waits until everything that was published has arrived. */
  async finish({ group, perClient }) {
    const clients = groups.get(group);
    const all = perClient * clients.length;
    if (delivered < all) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, lateMs);
        wanted = all;
        onAll = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const { user, system } = process.cpuUsage(cpuStart);
    const cpuMicros = user + system;
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return {
      delivered,
      expected: all,
      wrongClients: clients.filter((client) => client.delivered !== perClient || client.closed).length,
      bytes: clients.reduce((sum, { bytes }) => sum + bytes, 0),
      compressed: clients.reduce((sum, { compressed }) => sum + compressed, 0),
      cpuMicros,
      latenciesMs: clients.flatMap(({ samples }) => samples ?? []),
    };
  },

  /** Every client sends this many requests, as fast as the server answers. */
  async requests({ group, kind, perClient, window }) {
    const start = performance.now();
    cpuStart = process.cpuUsage();
    const sending = groups.get(group).map((client) => client.sendRequests(kind, perClient, window));
    const answered = await within(Promise.all(sending), requestsMs);
    const { user, system } = process.cpuUsage(cpuStart);
    return {
      ms: performance.now() - start,
      cpuMicros: user + system,
      answered: answered?.reduce((sum, each) => sum + each, 0) ?? 0,
    };
  },

  /** Stops reading. One client in `accountEvery` keeps an account of its offsets. */
  stopReading({ group }) {
    groups.get(group).forEach((client, i) => {
      client.socket.pause();
      if (i % accountEvery === 0) client.account = new Account();
    });
  },

  /** Reads again. Resolves once all accounts know the offsets up to `last` or were closed. */
  async readAgain({ group, last }) {
    const clients = groups.get(group);
    const accounts = clients.filter(({ account }) => account !== undefined);
    const start = performance.now();
    for (const { socket } of clients) socket.resume();
    while (performance.now() - start < 2 * lateMs) {
      if (accounts.every(({ account, closed }) => closed || account.last >= last)) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const open = accounts.filter(({ closed }) => !closed);
    return {
      ms: performance.now() - start,
      closed: clients.filter(({ closed }) => closed).length,
      reported: clients.filter(({ reported, closed }) => reported > 0 && !closed).length,
      accounts: open.length,
      silent: open.reduce((sum, { account }) => sum + account.silent, 0),
      behind: open.filter(({ account }) => account.last < last).length,
      merged: open.reduce((sum, { account }) => sum + account.merged, 0),
      lost: open.reduce((sum, { account }) => sum + account.lost, 0),
    };
  },

  async close({ group }) {
    for (const client of groups.get(group)) client.destroy();
    groups.delete(group);
  },
});
