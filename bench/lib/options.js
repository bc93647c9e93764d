import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import process from 'node:process';
import { endOnSignals } from './ending.js';
import { inNode, nodeHelp } from './node.js';

/**
 * Parses the command line. Prints `help` and exits on request or if it is invalid. Runs the program
 * in the requested Node.
 *
 * @param {Record<string, string | boolean | undefined>} defaults of all options: a text,
 *   `undefined`, or `false` for one without a value
 * @param {string} help
 * @returns {Promise<Record<string, string>>}
 */
export async function readOptions(defaults, help) {
  const { help: asks, node, ...values } = parsed(defaults, help);
  if (asks) {
    process.stdout.write(help + nodeHelp);
    process.exit(0);
  }
  endOnSignals();
  await inNode(node);
  return values;
}

function parsed(defaults, help) {
  const options = Object.fromEntries(
    Object.entries({ ...defaults, node: undefined, help: false }).map(([name, value]) => [
      name,
      { type: value === false ? 'boolean' : 'string', ...(value !== undefined && { default: value }) },
    ]),
  );
  try {
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
