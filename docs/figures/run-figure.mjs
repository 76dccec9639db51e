#!/usr/bin/env node
/**
 * Draws a run from its journal, as an SVG: every individual's learning curve beside alpha's (the paper's Fig. 3), and
 * the masks with the accuracy that each retrained to.
 *
 *   node docs/figures/run-figure.mjs runs/ID/journal.jsonl > docs/figures/quickstart.svg
 */
import { readFileSync } from 'node:fs';

const facts = readFileSync(process.argv[2], 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line).fact);
const only = (type) => facts.filter((fact) => fact.type === type);
const [opened] = only('opened');
const [alpha] = only('alpha');
const [finished] = only('finished');
const generations = only('generation');
const evaluated = only('evaluated');
const bornIn = (mask) => generations.find((g) => g.pool.some((i) => i.mask.join('') === mask))?.t ?? 0;

const WIDTH = 900;
const HEIGHT = 340;
// Okabe and Ito's palette: told apart also by those who see few colours.
const COLOUR = {
  alpha: '#D55E00',
  individual: '#009E73',
  best: '#0072B2',
  kept: '#0072B2',
  fresh: '#E6E6E6',
  ink: '#333333',
  faint: '#BBBBBB',
};

const escapeXml = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const text = (x, y, content, attributes = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${COLOUR.ink}" ${attributes}>${escapeXml(content)}</text>`;
const line = (points, colour, width, opacity = 1) =>
  `<polyline fill="none" stroke="${colour}" stroke-width="${width}" opacity="${opacity}" points="${points.map((p) => p.map((v) => v.toFixed(1)).join(',')).join(' ')}"/>`;
const dot = ([x, y], colour, radius) =>
  `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius}" fill="${colour}"/>`;

/** Left: accuracy against epochs; an individual's retraining goes on where alpha ended. */
function convergence(box) {
  const curves = evaluated.map((fact) => ({ fact, curve: fact.curve.filter((e) => e.accuracy !== null) }));
  const accuracies = [alpha.curve, ...curves.map((c) => c.curve)].flat().map((e) => e.accuracy);
  const low = Math.floor((Math.min(...accuracies) - 0.005) * 50) / 50;
  const high = Math.min(1, Math.ceil((Math.max(...accuracies) + 0.002) * 50) / 50);
  const epochs = alpha.curve.length + Math.max(...curves.map((c) => c.curve.length));
  const x = (epoch) => box.x + (epoch / epochs) * box.width;
  const y = (accuracy) => box.y + box.height - ((accuracy - low) / (high - low)) * box.height;
  const parts = [];
  for (let i = 0; i <= 4; i++) {
    const value = low + ((high - low) * i) / 4;
    parts.push(
      line(
        [
          [box.x, y(value)],
          [box.x + box.width, y(value)],
        ],
        COLOUR.faint,
        0.5,
      ),
    );
    parts.push(text(box.x - 6, y(value) + 4, value.toFixed(3), 'text-anchor="end"'));
  }
  for (let epoch = 1; epoch <= epochs; epoch++)
    parts.push(text(x(epoch), box.y + box.height + 16, epoch, 'text-anchor="middle"'));
  parts.push(text(box.x + box.width / 2, box.y + box.height + 34, 'epoch', 'text-anchor="middle"'));

  const start = alpha.curve.length;
  for (const { fact, curve } of curves) {
    const best = fact.mask === finished.best.mask;
    const points = [[x(start), y(alpha.accuracy)], ...curve.map((e) => [x(start + e.epoch), y(e.accuracy)])];
    parts.push(line(points, best ? COLOUR.best : COLOUR.individual, best ? 2.5 : 1, best ? 1 : 0.6));
    parts.push(dot(points.at(-1), best ? COLOUR.best : COLOUR.individual, best ? 4 : 2.5));
  }
  const alphaPoints = alpha.curve.map((e) => [x(e.epoch), y(e.accuracy)]);
  parts.push(line(alphaPoints, COLOUR.alpha, 2.5), ...alphaPoints.map((point) => dot(point, COLOUR.alpha, 3)));
  parts.push(
    line(
      [
        [x(start), y(alpha.accuracy)],
        [box.x + box.width, y(alpha.accuracy)],
      ],
      COLOUR.alpha,
      1,
      0.5,
    ),
  );

  const legend = [
    [COLOUR.alpha, `alpha: ${alpha.accuracy.toFixed(4)}`],
    [COLOUR.individual, `${evaluated.length} individuals`],
    [COLOUR.best, `best: ${finished.best.accuracy.toFixed(4)}`],
  ];
  parts.push(
    `<rect x="${box.x + box.width - 130}" y="${box.y + box.height - 66}" width="130" height="62" fill="#FFFFFF" opacity="0.9"/>`,
  );
  legend.forEach(([colour, label], i) => {
    parts.push(dot([box.x + box.width - 118, box.y + box.height - 52 + i * 18], colour, 4));
    parts.push(text(box.x + box.width - 108, box.y + box.height - 48 + i * 18, label));
  });
  return parts.join('\n');
}

/** Right: one row an individual, fittest first; a column a block, dark where alpha's weights were kept. */
function masks(box) {
  const rows = [...evaluated].sort((a, b) => b.accuracy - a.accuracy);
  const rowHeight = Math.min(16, box.height / rows.length);
  const cell = box.width / opened.blocks.length;
  const parts = opened.blocks.map((block, i) => {
    const x = box.x + (i + 0.4) * cell;
    const y = box.y - 6;
    return text(x, y, block.name, `font-size="10" transform="rotate(-30 ${x.toFixed(1)} ${y.toFixed(1)})"`);
  });
  rows.forEach((fact, row) => {
    const top = box.y + row * rowHeight;
    [...fact.mask].forEach((bit, i) => {
      const colour = bit === '1' ? COLOUR.kept : COLOUR.fresh;
      parts.push(
        `<rect x="${(box.x + i * cell + 1).toFixed(1)}" y="${(top + 1).toFixed(1)}" width="${(cell - 2).toFixed(1)}" height="${(rowHeight - 2).toFixed(1)}" fill="${colour}"/>`,
      );
    });
    parts.push(
      text(
        box.x + box.width + 8,
        top + rowHeight * 0.72,
        `${fact.accuracy.toFixed(4)}  gen ${bornIn(fact.mask)}`,
        'font-size="10"',
      ),
    );
  });
  return parts.join('\n');
}

const { experiment } = opened;
const title = `${experiment.name}: ${experiment.model.name} on ${experiment.dataset.name}, ${experiment.evolution.generations} generations of ${experiment.evolution.populationSize}`;
const result = `test accuracy: alpha ${finished.alpha.testAccuracy.toFixed(4)}, best mask ${finished.best.mask} ${finished.best.testAccuracy.toFixed(4)}`;
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img" aria-label="${escapeXml(`${title}; ${result}`)}">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#FFFFFF"/>
${text(20, 24, title, 'font-size="15" font-weight="bold"')}
${text(20, 42, result)}
${text(60, 66, 'Validation accuracy: alpha (SGD) and each retrained individual', 'font-size="11"')}
${convergence({ x: 60, y: 76, width: 420, height: 210 })}
${masks({ x: 530, y: 110, width: 250, height: 210 })}
${text(530, 66, 'Masks, fittest first: blue keeps a block, grey re-initialises it', 'font-size="11"')}
</svg>
`);
