import { MemoryBroker } from '../../src/brokers/memory/memory-broker.js';
import type { BrokerSink } from '../../src/core/ports/broker.js';

/**
 * A broker whose signals reach all brokers with the same list, as those of one engine, and are kept
 * in `signals`. Each has streams of its own.
 */
export function joinedBroker(sinks: BrokerSink[], signals: string[] = []): MemoryBroker {
  const broker = new MemoryBroker();
  const start = broker.start.bind(broker);
  return Object.defineProperties(broker, {
    solitary: { value: undefined },
    start: {
      value: (sink: BrokerSink) => {
        sinks.push(sink);
        start(sink);
      },
    },
    signal: {
      value: async (text: string) => {
        signals.push(text);
        sinks.forEach((sink) => sink.signal(text));
      },
    },
  });
}
