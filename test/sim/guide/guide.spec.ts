import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/testing.md'), 'utf8');
const files = readdirSync(import.meta.dirname).filter((file) => file !== 'guide.spec.ts');

/** The text as in a user's own test. */
function published(text: string): string {
  return text
    .replaceAll('../../../src/index.js', 'nestjs-live')
    .replaceAll('../../../src/testing/index.js', 'nestjs-live/testing');
}

describe('docs/testing.md', () => {
  it.each(files)('the guide shows %s as it runs here', (file) => {
    const text = published(readFileSync(join(import.meta.dirname, file), 'utf8'));
    expect(guide).toContain(`\`\`\`ts\n${text}\`\`\``);
  });

  it('the guide shows no TypeScript that does not run', () => {
    expect(guide.match(/^```ts$/gm)).toHaveLength(files.length);
  });
});
