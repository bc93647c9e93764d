import type { AsyncApiDocument } from './asyncapi-document.js';

interface Operation {
  readonly action: 'send' | 'receive';
}

/**
 * The contract as a client sees it: it sends what the server receives, and receives what the server
 * sends. The version is 3.0.0, of which the contract uses no more: Modelina makes nothing of a
 * document of 3.1.
 */
export function clientDocumentOf(document: AsyncApiDocument): AsyncApiDocument {
  const operations = Object.entries(document['operations'] as Record<string, Operation>);
  return {
    ...document,
    asyncapi: '3.0.0',
    operations: Object.fromEntries(operations.map(([id, operation]) => [id, turned(operation)])),
  };
}

function turned(operation: Operation): Operation {
  return { ...operation, action: operation.action === 'send' ? 'receive' : 'send' };
}
