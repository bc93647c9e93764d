import type { InboundRate } from '../../core/ports/limits.js';
import { contradictoryOptions, wrongOption } from '../options/live.errors.js';
import type { LiveModuleOptions } from '../options/live.options.js';

const most = 1_000_000_000;

/** More than a `subscribe` with the longest topic and position. */
const subscribeBytes = 512;

/** Fills in the defaults of `inboundRate`; `undefined` if nothing is limited. */
export function resolveInboundRate(
  { inboundRate = {}, dangerouslyUnlimitedInbound }: LiveModuleOptions,
  limits: { readonly maxMessageBytes: number; readonly maxTopicsPerConnection: number },
): InboundRate | undefined {
  if (dangerouslyUnlimitedInbound === true) {
    if (Object.keys(inboundRate).length === 0) return undefined;
    throw contradictoryOptions('dangerouslyUnlimitedInbound', 'inboundRate');
  }
  const number = (name: keyof InboundRate, fallback: number, least: number): number => {
    const value = inboundRate[name] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw wrongOption(`inboundRate.${name}`, value, `an integer from ${String(least)} to ${String(most)}`);
  };
  const { maxMessageBytes, maxTopicsPerConnection } = limits;
  const messagesPerSecond = number('messagesPerSecond', 20, 1);
  const bytesPerSecond = number('bytesPerSecond', 65_536, 1);
  return {
    messagesPerSecond,
    messageBurst: number('messageBurst', 2 * messagesPerSecond + maxTopicsPerConnection, 1),
    bytesPerSecond,
    byteBurst: number(
      'byteBurst',
      bytesPerSecond + maxMessageBytes + subscribeBytes * maxTopicsPerConnection,
      maxMessageBytes,
    ),
  };
}
