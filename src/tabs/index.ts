export { serveTabs } from './serve-tabs.js';
export { shared, type SharedOptions, type StartedWorker } from './shared.js';
