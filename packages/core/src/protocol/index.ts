export * from './jobs.js';
export * from './training-settings.js';
export * from './queue.js';
