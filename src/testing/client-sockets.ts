import { WebSocket } from 'ws';

/** How test clients connect. An object, so that the tests of one door can run on the other. */
export const clientSockets = {
  open(url: string, protocols: string[], headers: Readonly<Record<string, string>>): WebSocket {
    return new WebSocket(url, protocols, { headers });
  },
};
