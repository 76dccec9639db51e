import { defineConfig } from 'vite';

/** Builds the page into dist/, which the coordinator serves: a few static files, nothing inline (its CSP forbids that). */
export default defineConfig({
  root: import.meta.dirname,
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
});
