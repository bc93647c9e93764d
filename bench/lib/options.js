import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import process from 'node:process';

/**
 * Parses the command line by `spec`. Prints `help` and exits on request or if it is invalid.
 *
 * @param {import('node:util').ParseArgsConfig['options']} spec options with a text each
 * @param {string} help
 * @returns {Record<string, string>}
 */
export function readOptions(spec, help) {
  try {
    const { values } = parseArgs({ options: { ...spec, help: { type: 'boolean' } } });
    if (!('help' in values)) return /** @type {Record<string, string>} */ (values);
    process.stdout.write(help);
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${help}`);
    return process.exit(2);
  }
}

/** A folder with a build, as a base URL for imports. */
export function distAddress(folder) {
  const path = folder === undefined ? new URL('../../dist', import.meta.url).pathname : resolve(folder);
  return `${pathToFileURL(path).href}/`;
}

/** Progress, which is not part of the result. */
export function progress(text) {
  process.stderr.write(text);
}

/** The path of a file in a folder, which is created if missing. */
export function fileIn(folder, name) {
  mkdirSync(folder, { recursive: true });
  return resolve(folder, name);
}
