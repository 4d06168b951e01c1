/** How the confirmation of an action can end without one. */
export type Unconfirmed = "failed" | "expired" | "review" | "blocked";

/** Somebody was asked to confirm that it is them, and it came to nothing. */
export class NotConfirmed extends Error {
  readonly status: Unconfirmed;

  constructor(status: Unconfirmed) {
    super(status);
    this.name = "NotConfirmed";
    this.status = status;
  }
}

/** Somebody was asked to confirm that it is them, and closed the dialog. Not a failure: nothing needs to be said. */
export class Declined extends Error {
  constructor() {
    super("declined");
    this.name = "Declined";
  }
}
