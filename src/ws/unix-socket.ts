import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** Removes the file of a Unix socket without a listener, as a killed process leaves it. */
export async function removeStaleSocket(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined);
  if (file?.isSocket() !== true || !(await refuses(path))) return;
  await unlink(path).catch(() => {});
}

/** Whether the connection is refused. A full backlog or a missing permission proves nothing. */
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
    return `${what}: another process listens there, or the path is not a socket. Choose another "socketPath".`;
  // Node also reports EACCES if the directory does not exist.
  if (code === 'EACCES' || code === 'ENOTDIR')
    return `${what}: its directory does not exist, or this process may not write there. Check "socketPath".`;
  return `${what}: ${code ?? message}. Check "socketPath".`;
}
