import { describe, expect, it } from 'vitest';
import type { Fact, JournalLine } from '../run/index.js';
import { ViewLines } from './view-facts.js';

const line = (seq: number, fact: Fact): JournalLine => ({
  seq,
  meta: { at: '2026-01-31T12:00:00.000Z', provenance: { worker: 'w', engine: 'wasm', seconds: 2 } },
  fact,
});
const evaluated = (mask: string, accuracy: number, repeat = 0): Fact => ({
  type: 'evaluated',
  mask,
  repeat,
  accuracy,
  curve: [],
  weights: null,
  imagesTrained: 1,
});
const individual = (bits: readonly (0 | 1)[], fitness: number) => ({ mask: bits, fitness });

function generation(parents: ReturnType<typeof individual>[]): Fact {
  return {
    type: 'generation',
    t: 0,
    parents,
    best: parents[0] ?? individual([0], 0),
    nabla: 0,
    offspring: [],
    lineage: [],
    pool: parents,
    clusters: [],
    suppressed: [],
  };
}

describe('ViewLines', () => {
  it('names individuals of generations by the count of evaluations before their own', () => {
    const view = new ViewLines();
    view.next(line(0, evaluated('10', 0.5)));
    view.next(line(1, evaluated('01', 0.25)));
    const { fact } = view.next(line(2, generation([individual([0, 1], 0.25), individual([1, 0], 0.5)])));
    expect(fact).toMatchObject({ parents: [1, 0], pool: [1, 0], best: 1 });
  });

  it('a genome measured anew is the evaluation whose accuracy it has', () => {
    const view = new ViewLines();
    view.next(line(0, evaluated('10', 0.5)));
    view.next(line(1, evaluated('10', 0.75, 2)));
    const { fact } = view.next(line(2, generation([individual([1, 0], 0.5), individual([1, 0], 0.75)])));
    expect(fact).toMatchObject({ parents: [0, 1] });
  });

  it('every other fact is the journal’s own, with who did it and in how long', () => {
    const fact = evaluated('10', 0.5);
    expect(new ViewLines().next(line(0, fact))).toEqual({
      seq: 0,
      at: '2026-01-31T12:00:00.000Z',
      worker: 'w',
      engine: 'wasm',
      seconds: 2,
      fact,
    });
  });

  it('an individual that was given up counts with fitness 0, and keeps its reason', () => {
    const view = new ViewLines();
    view.next(line(0, evaluated('10', 0.5)));
    const failed: Fact = { type: 'failed', mask: '01', repeat: 0 };
    const meta = { at: '2026-01-31T12:00:00.000Z', reason: 'three trainers died' };
    expect(view.next({ seq: 1, meta, fact: failed })).toMatchObject({ fact: failed, reason: 'three trainers died' });
    const { fact } = view.next(line(2, generation([individual([0, 1], 0)])));
    expect(fact).toMatchObject({ parents: [1] });
  });

  it('refuses an individual that nobody evaluated', () => {
    expect(() => new ViewLines().next(line(0, generation([individual([1, 0], 0.5)])))).toThrow(
      expect.objectContaining({ code: 'JOURNAL' }),
    );
  });
});
