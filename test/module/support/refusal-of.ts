import { HandshakeRefused, LiveTestClient, type LiveTestClientOptions } from '../../../src/testing/index.js';

/** How a handshake was refused. Rejects when it was not. */
export async function refusalOf(url: string, options: LiveTestClientOptions = {}): Promise<HandshakeRefused> {
  const outcome: unknown = await LiveTestClient.connect(url, options).catch((error: unknown) => error);
  if (outcome instanceof HandshakeRefused) return outcome;
  if (outcome instanceof Error) throw outcome;
  throw new Error('The handshake was not refused');
}
