/**
 * Health checks for terminus. Needs `@nestjs/terminus`.
 *
 * @packageDocumentation
 * @module nestjs-live/health
 */
export {
  type LiveHealthDetails,
  LiveHealthIndicator,
  type LiveHealthResult,
  type LivenessOptions,
} from './live-health.indicator.js';
export type { EventLoopDelayReading } from '../server/event-loop-delay.js';
export { LiveHealthModule } from './live-health.module.js';
