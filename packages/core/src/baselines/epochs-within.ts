/**
 * Shares what is left of a budget among trainings, in their order: each gets the epochs it wants while they last, the
 * last one what remains. Depends on nothing but what was spent before, so not on who trains first.
 * @param wanted epochs, one number a training.
 * @param imagesLeft may be infinite, or negative where the budget was overdrawn.
 * @param epochImages training images of one epoch.
 * @returns epochs, one number a training, 0 where nothing is left. All of `imagesLeft` is given out but less than an epoch.
 */
export function epochsWithin(wanted: readonly number[], imagesLeft: number, epochImages: number): number[] {
  let left = Math.max(0, Math.floor(imagesLeft / epochImages));
  return wanted.map((epochs) => {
    const given = Math.min(epochs, left);
    left -= given;
    return given;
  });
}
