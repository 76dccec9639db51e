export * from './api.js';
export * from './live-status.js';
export * from './run-state.js';
export * from './view-facts.js';
