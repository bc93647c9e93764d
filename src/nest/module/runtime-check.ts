import { bunUnsafe } from '../options/live.errors.js';
import type { LiveModuleOptions } from '../options/live.options.js';

/**
 * Rejects a runtime on which the server misbehaves. Bun and Deno report their own versions besides
 * the version of Node that they emulate.
 *
 * @returns what to log about the runtime, if anything
 * @throws Error on Bun without `dangerouslyAllowBun`
 */
export function checkRuntime(
  { dangerouslyAllowBun = false }: Pick<LiveModuleOptions, 'dangerouslyAllowBun'>,
  versions: Readonly<Record<string, string | undefined>> = process.versions,
): string | undefined {
  const { bun, deno } = versions;
  if (bun !== undefined && !dangerouslyAllowBun) throw bunUnsafe(bun);
  if (bun !== undefined)
    return 'dangerouslyAllowBun: a reader that was slow once may get nothing more, without a word; the limits of fragments and pings are off.';
  if (deno !== undefined)
    return `The server is tested on Node 20.19 to 26; this is Deno ${deno}. The client is tested on both.`;
  return undefined;
}
