export type { AppRequests, AppTopics } from '@acme/server';
