import { MemoryBroker } from '../../src/brokers/memory/memory-broker.js';
import type { BrokerSink } from '../../src/core/ports/broker.js';

/**
 * A broker whose signals reach all brokers with the same list, as those of one engine. Each has
 * streams of its own.
 */
export function joinedBroker(sinks: BrokerSink[]): MemoryBroker {
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
    signal: { value: async (text: string) => sinks.forEach((sink) => sink.signal(text)) },
  });
}
