import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/ingestion.md'), 'utf8');
const files = readdirSync(import.meta.dirname).filter((file) => file !== 'guide.spec.ts');

/** As it stands in a user's own application. */
function published(text: string): string {
  return text
    .replaceAll('../../../src/index.js', 'nestjs-live')
    .replaceAll('../../../src/brokers/redis/index.js', 'nestjs-live/redis');
}

describe('docs/ingestion.md', () => {
  it.each(files)('shows %s as it is run here', (file) => {
    const text = published(readFileSync(join(import.meta.dirname, file), 'utf8'));
    expect(guide).toContain(`\`\`\`ts\n${text}\`\`\``);
  });

  it('shows no TypeScript that is not run', () => {
    expect(guide.match(/^```ts$/gm)).toHaveLength(files.length);
  });
});
