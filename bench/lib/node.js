// Which Node runs the benchmarks.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { runInstead, thisProgramIn } from './ending.js';

/** The major version that the figures of docs/benchmarks.md are made with. */
const usual = '24';
/** Set for the chosen Node and its children: the path of that Node. */
const mark = 'BENCH_NODE';

export const nodeHelp = `  --node 24|20|<path>  the Node that runs everything: a path, or a version that the variable NODE24 or NODE20
                       gives the path of (24, or this one if there is none)
`;

/**
 * Runs the calling program in the requested Node, and exits with it. Returns only in that Node.
 *
 * @param {string} [requested] a major version or a path
 */
export async function inNode(requested) {
  if (process.env[mark] === process.execPath) {
    // Ends with the program that it runs in place of. The listener must not keep it running.
    process.once('disconnect', () => process.exit(1));
    process.channel?.unref();
    return;
  }
  const found = pathOf(requested ?? usual);
  if (found === undefined && requested !== undefined) {
    process.stderr.write(`There is no Node ${requested}: pass its path, or set NODE${requested} to it.\n`);
    process.exit(2);
  }
  if (found === undefined) {
    process.stderr.write(
      `\n!! This is Node ${process.version}, and the usual figures are of Node ${usual}: set NODE${usual} to its path.\n\n`,
    );
  }
  const path = found ?? process.execPath;
  process.env[mark] = path;
  // The peer uws has no build for newer versions, and then runs in this one.
  if (major(process.version) === '20') process.env['NODE20'] ??= process.execPath;
  if (path !== process.execPath) await runInstead(thisProgramIn(path), process.env);
}

function pathOf(requested) {
  if (!/^\d+$/.test(requested)) return versionOf(requested)[1];
  const named = process.env[`NODE${requested}`];
  if (named !== undefined) return versionOf(named)[1];
  return major(process.version) === requested ? process.execPath : undefined;
}

/** The version and the real path of a Node. */
function versionOf(path) {
  if (!existsSync(path)) {
    process.stderr.write(`There is no Node at ${path}.\n`);
    process.exit(2);
  }
  const script = 'console.log(JSON.stringify([process.version, process.execPath]))';
  return JSON.parse(execFileSync(path, ['-e', script], { encoding: 'utf8' }));
}

function major(version) {
  return version.slice(1).split('.')[0];
}
