/** Something that set-up could not do, told in one line: what happened, and what would be right. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {string} [details] Output of the tool that failed, for whoever wants all of it.
   */
  constructor(message, details = '') {
    super(message);
    this.name = 'SetupError';
    this.details = details;
  }
}
