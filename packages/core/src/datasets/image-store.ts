/** The images of one part of a data set, wherever they are. */
export interface ImageStore {
  /**
   * Copies an image, uint8 HWC, to the start of `into`.
   * @param image its position, below the part's count.
   * @throws NesgdError `DATASET_CORRUPT` where it cannot be read whole.
   */
  read(image: number, into: Uint8Array): void;
  /**
   * To be called after the reads of a batch, before it is used.
   * @throws NesgdError `DATASET_CORRUPT` where the images are no longer those that were opened.
   */
  checkUnchanged(): void;
}
