import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/**
 * Names what a rendered file was made of: the chart's files and the values.
 * @param {string} name a file of cases/
 */
export function chartDigest(name) {
  const hash = createHash('sha256');
  const chart = readdirSync(join(HERE, 'nesgd'), { recursive: true, encoding: 'utf8' })
    .map((path) => join('nesgd', path))
    .filter((path) => statSync(join(HERE, path)).isFile());
  for (const path of [...chart.sort(), join('cases', name)])
    hash.update(`${path}\0${readFileSync(join(HERE, path), 'utf8')}\0`);
  return `rendered by "node infra/helm/render.mjs" from sha256 ${hash.digest('hex')}`;
}
