import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import process from 'node:process';
import { inNode, nodeHelp } from './node.js';

/**
 * Parses the command line by `spec`. Prints `help` and exits on request or if it is invalid. Runs
 * the program in the requested Node.
 *
 * @param {import('node:util').ParseArgsConfig['options']} spec options with a text each
 * @param {string} help
 * @returns {Promise<Record<string, string>>}
 */
export async function readOptions(spec, help) {
  const { help: asks, node, ...values } = parsed(spec, help);
  if (asks !== undefined) {
    process.stdout.write(help + nodeHelp);
    process.exit(0);
  }
  await inNode(node);
  return values;
}

function parsed(spec, help) {
  try {
    const options = { ...spec, node: { type: 'string' }, help: { type: 'boolean' } };
    return /** @type {Record<string, string>} */ (parseArgs({ options }).values);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${help}${nodeHelp}`);
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
