import { CloseCode, errorCodes, isTemporary, mayReconnect } from '../../protocol/codes.js';
import type { DescribedHandler } from './described-handlers.js';
import { connectionId, handlerId } from './document-ids.js';
import { type Channel, reference } from './topic-channel.js';

const fromServer = ['welcome', 'incoming', 'draining', 'error'] as const;

/** Requests about the connection, and their answers. */
const requests = { ping: 'pong', auth: 'authenticated' } as const;

/** The connection: messages that belong to no topic. */
export function connectionChannel(handlers: readonly DescribedHandler[]): Channel {
  const names = [
    ...fromServer,
    ...Object.entries(requests).flat(),
    ...handlers.flatMap(({ type }) => [handlerId(type), handlerId(type, 'answer')]),
  ];
  return {
    address: null,
    title: 'The connection itself',
    messages: Object.fromEntries(names.map((name) => [name, reference('messages', name)])),
    bindings: { ws: { method: 'GET' } },
    'x-close-codes': Object.entries(CloseCode).map(([name, code]) => ({
      code,
      name,
      reconnect: mayReconnect(code),
    })),
    'x-error-codes': errorCodes.map((code) => ({ code, temporary: isTemporary(code) })),
  };
}

export function connectionOperations(handlers: readonly DescribedHandler[]): Record<string, unknown> {
  const channel = { $ref: `#/channels/${connectionId}` };
  const of = (...messages: string[]) =>
    messages.map((message) => ({ $ref: `#/channels/${connectionId}/messages/${message}` }));
  const answered = Object.entries(requests).map(([request, answer]) => [
    `${connectionId}.${request}`,
    { action: 'receive', channel, messages: of(request), reply: { channel, messages: of(answer, 'error') } },
  ]);
  const own = handlers.map(({ type }) => [
    handlerId(type),
    {
      action: 'receive',
      channel,
      messages: of(handlerId(type)),
      reply: { channel, messages: of(handlerId(type, 'answer'), 'error') },
    },
  ]);
  const told = [`${connectionId}.tell`, { action: 'send', channel, messages: of(...fromServer) }];
  return Object.fromEntries([told, ...answered, ...own]) as Record<string, unknown>;
}
