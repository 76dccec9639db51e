export * from './jobs.js';
export * from './means.js';
export * from './queue.js';
export * from './training-images.js';
export * from './training-settings.js';
export * from './worker-register.js';
