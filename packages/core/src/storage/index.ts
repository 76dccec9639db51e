export * from './blob-store.js';
export * from './cache-folder.js';
export * from './check-writable.js';
