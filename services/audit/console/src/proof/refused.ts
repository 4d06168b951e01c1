/** A proof, a signature or a format that does not hold; the message says which and why, in words for the reader. */
export class Refused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Refused";
  }
}
