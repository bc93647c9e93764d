import { loadPeer } from '../peers/peer.js';
import { Asked } from './asking.js';
import { leftOut } from './environment.js';
import { distAddress, progress } from './options.js';
import { missing as missingUws } from '../peers/uws.js';

/** uWebSockets.js if it can run here, otherwise Bun, which contains it. */
export const uWebSockets = missingUws() === undefined ? 'uws' : 'bun';

/**
 * @typedef {object} Entrant
 * @property {string} key as requested
 * @property {string} file in bench/peers
 * @property {number} topics that its idle connections subscribe to
 * @property {string} dist the build, for nestjs-live
 * @property {string} title
 * @property {string} [missing] why it cannot run here
 */

/**
 * The participants: files of bench/peers by name, and another build of nestjs-live. `+1` adds a
 * subscription to each idle connection. Peers that cannot run here are left out, with a note.
 *
 * @param {{ peers: string, dist?: string, compare?: string }} options
 * @returns {Promise<Entrant[]>}
 */
export async function entrantsOf({ peers, dist, compare }) {
  const all = await Promise.all(peers.split(',').map((key) => entrantOf(key, dist)));
  const entrants = all.filter(({ key, missing }) => {
    if (missing === undefined) return true;
    progress(`\n!! The peer ${key} is left out: ${missing}\n\n`);
    leftOut.push(`${key} (${missing})`);
    return false;
  });
  if (compare === undefined) return entrants;
  const ours = entrants.filter(({ file }) => file.startsWith('nestjs-live'));
  const others = await Promise.all(ours.map(({ key }) => entrantOf(key, compare)));
  return [
    ...entrants,
    ...others.map((each) => ({ ...each, key: `other ${each.key}`, title: `${each.title}, other build` })),
  ];
}

async function entrantOf(key, dist) {
  const [file, topics = '0'] = key.split('+');
  const { title, missing } = await loadPeer(file);
  const subscribed = topics === '0' ? '' : `, ${topics} subscription${topics === '1' ? '' : 's'} each`;
  return {
    key,
    file,
    topics: Number(topics),
    dist: distAddress(dist),
    title: title + subscribed,
    missing: missing?.(),
  };
}

/**
 * Rotates the order and reverses it every other round, so that no peer always follows the same one.
 */
export function inTurn(entrants, round) {
  const turn = round % entrants.length;
  const turned = [...entrants.slice(turn), ...entrants.slice(0, turn)];
  return round % 2 === 0 ? turned : turned.toReversed();
}

/**
 * A peer's server in a process on its own core. It does not listen yet.
 *
 * @param {string} file in bench/peers
 * @param {string[]} [nodeOptions]
 */
export async function serverProcess(file, nodeOptions) {
  const { runtime } = await loadPeer(file);
  return new Asked({
    script: new URL('server-process.js', import.meta.url),
    args: [file],
    core: 0,
    runtime: runtime?.(),
    nodeOptions: file === 'bun' ? [] : nodeOptions,
  });
}

/** Clients, all in one process on the other core. */
export function swarmProcess() {
  return new Asked({ script: new URL('swarm-process.js', import.meta.url), core: 1 });
}
