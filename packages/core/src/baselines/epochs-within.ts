/**
 * Shares what is left of a budget among trainings, in their order: each gets the epochs it wants while they last, the
 * last one what remains. Depends on nothing but what was spent before, so not on who trains first.
 * @param wanted epochs, one number a training.
 * @param imagesLeft may be infinite, or negative where the budget was overdrawn.
 * @param imagesOf what the training at that position is charged for so many epochs; rises with them.
 * @returns epochs, one number a training, 0 where nothing is left.
 */
export function epochsWithin(
  wanted: readonly number[],
  imagesLeft: number,
  imagesOf: (epochs: number, which: number) => number,
): number[] {
  let left = imagesLeft;
  return wanted.map((epochs, which) => {
    let given = epochs;
    while (given > 0 && imagesOf(given, which) > left) given -= 1;
    if (given > 0) left -= imagesOf(given, which);
    return given;
  });
}
