/** Names of the files that can be decoded. */
export const IMAGE_FILE = /\.(jpe?g|png|webp)$/i;
