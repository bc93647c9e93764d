import type { InboundRate } from '../../core/ports/limits.js';
import { contradictoryOptions } from '../options/live.errors.js';
import { integerOption } from '../options/option-checks.js';
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
  const number = (name: keyof InboundRate, fallback: number, least: number): number =>
    integerOption(`inboundRate.${name}`, inboundRate[name], { fallback, least, most });
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
