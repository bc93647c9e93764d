import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** Removes a Unix socket that nobody listens on any more: a process that was killed leaves its file behind. */
export async function removeStaleSocket(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined);
  if (file?.isSocket() !== true || !(await refuses(path))) return;
  await unlink(path).catch(() => {});
}

/** Whether the system says that nobody listens; a full backlog or a missing right says nothing. */
function refuses(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}

export function pathFailure(path: string, { code, message }: NodeJS.ErrnoException): string {
  const what = `The live server cannot listen on the Unix socket ${path}`;
  if (code === 'EADDRINUSE')
    return `${what}: another process listens there, or the path is no socket. Choose another "socketPath".`;
  // Node says EACCES also where the directory does not exist.
  if (code === 'EACCES' || code === 'ENOTDIR')
    return `${what}: its directory does not exist, or this process may not write there. Check "socketPath".`;
  return `${what}: ${code ?? message}. Check "socketPath".`;
}
