import * as socket from './nestjs-live.js';

export const title = 'nestjs-live, event streams';

/** @type {import('./peer.js').Dialect} */
export const dialect = {
  ...socket.dialect,
  handshake: (index) => {
    const { headers } = socket.dialect.handshake(index, []);
    return { path: '/live/events', headers: headers.filter((each) => !each.startsWith('Sec-')) };
  },
  messagesPath: '/live/messages',
};

/** The same application, through its second door. */
export function start(about) {
  return socket.start({ ...about, module: { sse: true, ...about.module } });
}
