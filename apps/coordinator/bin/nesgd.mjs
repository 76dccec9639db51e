#!/usr/bin/env node
/** Starts the compiled command line, which `npm start` compiles. */
import { existsSync } from 'node:fs';
import { endWithNpx } from './end-with-npx.mjs';
import { oneSignalAKeystroke } from './one-signal-a-keystroke.mjs';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('nesgd is not compiled yet: run "npm start -- --help" once in its folder\n');
  process.exit(1);
}
oneSignalAKeystroke(process);
endWithNpx();
await import(main.href);
