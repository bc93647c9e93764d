import { once } from 'node:events';

/**
 * The exports of a file in this folder: one way to broadcast, run as its documentation recommends.
 *
 * @typedef {object} Peer
 * @property {string} title for the tables
 * @property {Dialect} dialect how its clients speak
 * @property {() => string | undefined} [missing] why it cannot run here, if it cannot
 * @property {() => string | undefined} [runtime] the program that runs its server, if not this Node
 * @property {(options: StartOptions) => Promise<RunningServer>} start
 *   runs in its own process and imports what the server needs, because clients also load the file
 *
 * @typedef {object} StartOptions
 * @property {string} dist the build of nestjs-live
 * @property {object} [topic] options of nestjs-live's `@LiveTopic`
 * @property {object} [module] more options of nestjs-live's module
 * @property {{ engine: string, url: string, prefix: string }} [store] of nestjs-live's broker
 *
 * @typedef {object} RunningServer
 * @property {number} port on 127.0.0.1
 * @property {(topic: string, data: object, key?: string) => unknown} publish
 *   to every subscriber of the topic, synchronously, as an application does. Peers without keys
 *   ignore the key
 * @property {() => number} [cpuMicros] its CPU time, if the server is another process
 * @property {() => { rss: number }} [memory] of a server in another process
 * @property {boolean} [validates] whether it checks publications by the topic's schema
 * @property {string} [features] the enabled features, if relevant
 * @property {(about: object) => unknown} [tell] answers requests that only this peer supports
 *
 * @typedef {object} Dialect
 * @property {(index: number, topics: readonly string[]) => { path: string, headers?: string[] }}
 *   handshake of the client with this number
 * @property {string} [messagesPath] of an event stream, to which the client posts what it sends
 * @property {(topics: readonly string[]) => Move} opened called after the 101
 * @property {(text: string, topics: readonly string[]) => Move} heard
 *   called for a text frame that is no event
 * @property {(bytes: Uint8Array, start: number, end: number) => boolean} isEvent
 *   whether the text in `bytes[start, end)` is an event
 * @property {Readonly<Record<string, string>>} [requests] text frames for bench/inbound.js
 *
 * @typedef {object} Move what a client does next
 * @property {readonly string[]} [say] text frames to send
 * @property {boolean} [welcome] the server accepts messages
 * @property {number} [subscribed] how many subscriptions this confirms
 * @property {number} [answered] how many requests this answers
 * @property {number} [lost] publications that this reports as lost
 */

/** @returns {Promise<Peer>} the peer in the file of this name */
export async function loadPeer(name) {
  return import(new URL(`${name}.js`, import.meta.url).href);
}

/**
 * Binds a free port on 127.0.0.1 with a large backlog for simultaneous connections.
 *
 * @param {import('node:net').Server} server
 * @returns {Promise<number>} the port
 */
export async function listen(server) {
  server.listen(0, '127.0.0.1', 4_096);
  await once(server, 'listening');
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
}
