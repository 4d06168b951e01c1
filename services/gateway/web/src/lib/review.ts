/** A passkey was right, and our rules want somebody to look before it opens a session: nothing to wait for comes of it. */
export class UnderReview extends Error {}
