import { DEVICE_CHOICES } from '@nesgd/core/protocol';
import { DEFAULT_ATTEMPTS } from '@nesgd/core/run';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { priorityOf } from '../commands/control.js';
import { typed } from '../invocation.js';
import { DEFAULT_SERVE_PORT } from '../serve/serve-address.js';

/** Flags that several commands have, each made anew for each of them. */

export function wholeNumber(text: string, lowest: number, highest: number): number {
  if (/^\d+$/.test(text) && Number(text) >= lowest && Number(text) <= highest) return Number(text);
  throw new InvalidArgumentError(`wants a whole number from ${lowest} to ${highest}.`);
}

export function amount(text: string, highest: number): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) <= highest) return Number(text);
  throw new InvalidArgumentError(`wants a number from 0 to ${highest}.`);
}

export const json = () =>
  new Option('--json', 'print the result as one line of JSON on standard output; nothing else goes there').default(
    false,
  );
export const runs = () => new Option('--runs <dir>', 'the folder of runs').default('runs');
export const broker = () =>
  new Option(
    '--broker <where>',
    'auto: REDIS_URL, else a broker started for this run, else local; or local, or redis://host:port',
  ).default('auto');
export const listen = () =>
  new Option(
    '--listen <host:port>',
    'let workers on other machines fetch data sets and weights there; wants NESGD_SECRET (default: NESGD_LISTEN, else nothing listens)',
  );
export const workers = () =>
  new Option(
    '--workers <n>',
    `worker processes on this machine (default: its cores / runtime.threads, or one a card); 0: only those that joined elsewhere by "${typed('nesgd worker')}"`,
  ).argParser((text) => wholeNumber(text, 0, 1024));
export const workersPerDevice = () =>
  new Option(
    '--workers-per-device <n>',
    'trainers that share a card and its memory (default: runtime.workersPerDevice, else 1)',
  ).argParser((text) => wholeNumber(text, 1, 64));
export const device = (what: string) => new Option('--device <name>', what).choices(DEVICE_CHOICES);
export const deviceOfRun = () =>
  device(
    'what computes: cards, the processor, or auto: cards where there are some that TensorFlow can use (sets runtime.device)',
  );
export const engine = () =>
  new Option('--engine <name>', 'what computes').choices(['auto', 'tensorflow', 'wasm']).default('auto');

export const attempts = () =>
  new Option(
    '--attempts <n>',
    'trainers that may die under one individual before it is given up, which counts as the worst',
  )
    .argParser((text) => wholeNumber(text, 1, 1000))
    .default(DEFAULT_ATTEMPTS);

const priority = () =>
  new Option(
    '--priority <n>',
    'of its jobs among those of other runs that share the workers, -100 to 100: the higher goes first (default: as before, at first 0)',
  ).argParser(priorityOf);

export const set = () =>
  new Option('--set <key=value>', 'set a key of the experiment by its path, such as retrain.epochs=3; may be repeated')
    .argParser((value: string, earlier: string[]) => [...earlier, value])
    .default([], '');

export const port = (flag: string, what: string) =>
  new Option(flag, what).argParser((text) => {
    if (!/^\d+$/.test(text) || Number(text) > 65_535)
      throw new InvalidArgumentError('wants a port, 0 to 65535 (0: any free one).');
    return Number(text);
  });
const serveFlag = () =>
  port(
    '--serve [port]',
    `show the run in a browser on this machine while it goes on and after it, until Ctrl-C (default port: ${DEFAULT_SERVE_PORT})`,
  );

const serveHost = () =>
  new Option(
    '--serve-host <address>',
    'where --serve listens; beyond 127.0.0.1 it wants NESGD_SECRET, which people log in with',
  ).default('127.0.0.1');

/** A command that works on one run: how it is done, and shown. */
export const conducting = (command: Command): Command =>
  command
    .addOption(workers())
    .addOption(workersPerDevice())
    .addOption(broker())
    .addOption(attempts())
    .addOption(listen())
    .addOption(priority())
    .addOption(runs())
    .addOption(serveFlag())
    .addOption(serveHost())
    .addOption(json());
