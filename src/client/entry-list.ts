import type { Entry, SubscribedMessage } from '../protocol/messages.js';
import type { Incoming } from './port.js';

/** The starts whose snapshot came as a list of entries, by the object made of it. [L-6.11] */
export const lists = new WeakMap<object, SubscribedMessage>();

/** A start with an object in place of a list of entries, which only collections need. */
export function withObject(message: Incoming): Incoming {
  if (message.type !== 'subscribed' || !message.entries || message.pages) return message;
  const snapshot: object = Object.fromEntries(message.snapshot as Iterable<Entry>);
  lists.set(snapshot, message);
  return { ...message, snapshot };
}
