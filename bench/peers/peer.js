import { once } from 'node:events';

/**
 * What a file in this folder is: one way to broadcast, as its own documentation recommends to run it.
 *
 * @typedef {object} Peer
 * @property {string} title as it stands in the tables
 * @property {Dialect} dialect how its clients speak
 * @property {() => string} [runtime] the program that runs its server, where that is not Node
 * @property {(options: StartOptions) => Promise<RunningServer>} start runs in a process of its own; whatever the server
 * needs is imported here and not at the top, because the clients' process loads the file for its dialect
 *
 * @typedef {object} StartOptions
 * @property {string} dist where the build of nestjs-live is
 * @property {object} [topic] what nestjs-live's `@LiveTopic` says of the topics
 * @property {object} [module] further options of nestjs-live's module
 *
 * @typedef {object} RunningServer
 * @property {number} port on 127.0.0.1
 * @property {(topic: string, data: object) => void} publish to every subscriber of the topic; synchronous, as an
 * application does it
 * @property {string} [features] what is switched on, if that is a question
 * @property {(about: object) => unknown} [tell] answers what this peer alone can be asked
 *
 * @typedef {object} Dialect
 * @property {(index: number) => { path: string, headers?: string[] }} handshake of the client with this number
 * @property {(topics: readonly string[]) => Move} opened the 101 has come
 * @property {(text: string, topics: readonly string[]) => Move} heard a text frame that is no event has come
 * @property {(bytes: Uint8Array, start: number, end: number) => boolean} isEvent whether this text frame's payload,
 * `bytes[start, end)`, is an event
 * @property {Readonly<Record<string, string>>} [requests] text frames for bench/inbound.js
 *
 * @typedef {object} Move what a client does next
 * @property {readonly string[]} [say] text frames to send
 * @property {boolean} [welcome] the server is ready to be spoken to
 * @property {number} [subscribed] how many subscriptions this confirms
 * @property {number} [answered] how many requests this answers
 * @property {number} [lost] publications that, as this says, will not come
 */

/** @returns {Promise<Peer>} the peer in the file of this name */
export async function loadPeer(name) {
  return import(new URL(`${name}.js`, import.meta.url).href);
}

/**
 * Binds a free port on 127.0.0.1, with room for all who knock at once.
 *
 * @param {import('node:net').Server} server
 * @returns {Promise<number>} the port
 */
export async function listen(server) {
  server.listen(0, '127.0.0.1', 4_096);
  await once(server, 'listening');
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
}
