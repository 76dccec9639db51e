/**
 * How dependency-cruiser finds `@nesgd/core/...`: the exports of packages/core, each in its source, so that import
 * rules need no build and speak of sources.
 */
const { join } = require('node:path');

const core = join(__dirname, '../../packages/core');
const { exports: entries } = require(join(core, 'package.json'));

module.exports = {
  resolve: {
    alias: Object.fromEntries(
      Object.entries(entries).map(([entry, compiled]) => [
        `${entry.replace('.', '@nesgd/core')}$`,
        join(core, compiled.replace('./dist/', 'src/').replace(/[.]js$/, '.ts')),
      ]),
    ),
    extensions: ['.ts', '.tsx', '.js', '.json'],
    extensionAlias: { '.js': ['.ts', '.tsx', '.js'] },
    conditionNames: ['import', 'node', 'default'],
    exportsFields: ['exports'],
  },
};
