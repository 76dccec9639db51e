import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const map = new URL('../docs/paper-map.md', import.meta.url);
const links = [...readFileSync(map, 'utf8').matchAll(/\[(?<text>[^\]]+)\]\((?<path>[^)]+)\)/g)].map((match) => ({
  text: match.groups!.text!,
  file: new URL(match.groups!.path!, map),
}));
const functions = links.filter(({ text }) => text.startsWith('`'));

test('paper map: links lead somewhere', () => {
  expect(functions.length).toBeGreaterThan(30);
  for (const { text, file } of links) expect(existsSync(file), `${text} -> ${file.pathname}`).toBe(true);
});

test('paper map: each name is exported by the file that it links to', () => {
  for (const { text, file } of functions) {
    const name = text.replaceAll('`', '');
    const exported = new RegExp(`export (async )?(function\\*?|const|class|interface|type) ${name}\\b`);
    expect(readFileSync(file, 'utf8'), `${name} in ${file.pathname}`).toMatch(exported);
  }
});
