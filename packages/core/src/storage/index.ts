export * from './blob-store.js';
export * from './cache-folder.js';
export * from './canonical-json.js';
export * from './check-writable.js';
export * from './snapshots.js';
export * from './training-key.js';
