import { createRequire } from 'node:module';

/** Of nesgd. */
export const { version: VERSION } = createRequire(import.meta.url)('../package.json') as { version: string };
