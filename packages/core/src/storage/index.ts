export * from './blob-store.js';
export * from './cache-folder.js';
