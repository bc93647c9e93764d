// What another process costs, by Linux' /proc.
import { readdirSync, readFileSync } from 'node:fs';

/** Microseconds of CPU since its start, of all its threads that still run. */
export function cpuMicrosOf(pid) {
  const folder = `/proc/${String(pid)}/task`;
  const nanos = readdirSync(folder).map((thread) =>
    Number(readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanos.reduce((sum, each) => sum + each, 0) / 1_000;
}

/** Bytes of resident memory. */
export function rssOf(pid) {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1_024;
}

/** The processes that this one has started and that still run. */
export function childrenOf(pid) {
  const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
