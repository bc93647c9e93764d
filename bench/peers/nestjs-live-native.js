import { missingNative, sendBatch } from '../lib/native.js';
import { start as startLive } from './nestjs-live.js';

export const title = 'nestjs-live with nestjs-live-native';
export { dialect } from './nestjs-live.js';
export const missing = missingNative;

/** The same application, with the option that writes by the addon. */
export async function start(options) {
  return startLive({ ...options, module: { ...options.module, sendBatch: await sendBatch() } });
}
