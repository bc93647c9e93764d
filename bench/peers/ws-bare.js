import { startWs, wsDialect } from './ws-server.js';

export const title = 'ws, bare';
export const dialect = wsDialect;

/** For idle connections: no guard, no identity, no registry, nothing sent. */
export async function start() {
  return startWs(() => () => {});
}
