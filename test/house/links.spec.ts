import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** All Markdown documents of the repository. */
const documents = ['.', 'docs', 'examples', 'bench', 'findings', '.github']
  .flatMap((folder) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder), { recursive: folder !== '.', encoding: 'utf8' }).map((file) =>
          join(folder, file),
        )
      : [],
  )
  .filter((file) => file.endsWith('.md') && !file.includes('node_modules'));

/** A document without its code, in which brackets are no links. */
const proseOf = (file: string): string =>
  readFileSync(join(root, file), 'utf8')
    .replaceAll(/^```.*?^```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ' '));

/** The anchors that GitHub gives to the headings of a document. */
function anchorsOf(file: string): Set<string> {
  const anchors = new Set<string>();
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/^```.*?^```$/gms, '');
  for (const [, heading = ''] of text.matchAll(/^#+ (.+)$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${String(n)}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Relative links of a document that lead nowhere. */
function brokenLinks(file: string): string[] {
  const links = [...proseOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? file : relative(root, resolve(root, dirname(file), path));
    if (!existsSync(join(root, target))) return true;
    if (anchor === undefined) return false;
    return !statSync(join(root, target)).isFile() || !anchorsOf(target).has(anchor);
  });
}

describe('The documents', () => {
  it.each(documents)('every relative link and anchor of %s exists', (file) => {
    expect(brokenLinks(file)).toEqual([]);
  });

  it('every guide in docs is in the index', () => {
    const index = readFileSync(join(root, 'docs/README.md'), 'utf8');
    const guides = readdirSync(join(root, 'docs')).filter(
      (file) => file.endsWith('.md') && file !== 'README.md',
    );
    expect(guides.filter((file) => !index.includes(`](${file})`))).toEqual([]);
  });

  it('the quick start prints the files of examples/fleet-map as they are', () => {
    const text = readFileSync(join(root, 'docs/quick-start.md'), 'utf8');
    const files = ['fleet.module.ts', 'main.ts', 'public/fleet.html', 'App.tsx'];
    const printed = (file: string): boolean =>
      text.includes(`\n${readFileSync(join(root, 'examples/fleet-map', file), 'utf8')}\`\`\``);
    expect(files.filter((file) => !printed(file))).toEqual([]);
  });
});
