export {
  type LiveHealthDetails,
  LiveHealthIndicator,
  type LiveHealthResult,
  type LivenessOptions,
} from './live-health.indicator.js';
export { LiveHealthModule } from './live-health.module.js';
