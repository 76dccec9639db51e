import { describe, expect, it } from 'vitest';
import { cardPlaces, placeEnvironment } from './card-places.js';

const large = { uuid: 'GPU-1', name: 'NVIDIA H100 80GB HBM3', memoryMb: 81559 };
const small = { uuid: 'GPU-2', name: 'NVIDIA T4', memoryMb: 15360 };
const unknown = { uuid: 'MIG-3', name: 'a part of a card (MIG)', memoryMb: undefined };

const sharesOf = (cards: Parameters<typeof cardPlaces>[0], count: number) =>
  cardPlaces(cards, count).map(({ card, share }) => [card.uuid, share]);

describe('cardPlaces', () => {
  it('a trainer alone on its card has all of it', () => {
    expect(sharesOf([large, small], 2)).toEqual([
      ['GPU-1', undefined],
      ['GPU-2', undefined],
    ]);
    expect(sharesOf([large, small], 1)).toEqual([['GPU-1', undefined]]);
  });

  it('several share a card, each with room for what is not TensorFlow’s', () => {
    const places = cardPlaces([large, small], 3);
    expect(places.map(({ card }) => card.uuid)).toEqual(['GPU-1', 'GPU-2', 'GPU-1']);
    expect(places[1]?.share).toBeUndefined();
    expect(places[0]?.share).toBe(places[2]?.share);
    expect(2 * ((places[0]?.share ?? 0) * large.memoryMb + 700)).toBeLessThanOrEqual(large.memoryMb);
    expect(places[0]?.share).toBeGreaterThan(0.49);
  });

  it('where the memory is not known, nine tenths are shared', () => {
    expect(sharesOf([unknown], 3)).toEqual([
      ['MIG-3', 0.3],
      ['MIG-3', 0.3],
      ['MIG-3', 0.3],
    ]);
  });

  it('more than a card has memory for are refused with how many it has it for', () => {
    expect(() => cardPlaces([small], 13)).toThrow(
      '13 trainers on NVIDIA T4 (GPU-2): its 15360 MiB are enough for 12; give a smaller --workers-per-device or --workers',
    );
    expect(cardPlaces([small], 12)).toHaveLength(12);
  });

  it('a process is told its card by UUID, and its share where it has one', () => {
    expect(placeEnvironment({ card: small })).toEqual({ CUDA_VISIBLE_DEVICES: 'GPU-2' });
    expect(placeEnvironment({ card: small, share: 0.25 })).toEqual({
      CUDA_VISIBLE_DEVICES: 'GPU-2',
      NESGD_CARD_MEMORY_SHARE: '0.25',
    });
  });
});
