/** What each reason of the quarantine means (docs/audit-log.md, section 2). */
export const REASONS: Partial<Record<string, string>> = {
  not_utf8: "The line is no text.",
  not_json: "The line is no JSON.",
  not_an_event: "It is JSON, but no event: an unknown type or member, or a wrong type.",
  bad_identity: "It has no proper id, instance, number or time.",
  conflicting_entry: "The log holds an entry with this id and other bytes.",
  too_large: "It is longer than an entry can be.",
  refused_by_store: "The database refused what it holds.",
  empty_message: "The message held no line at all.",
};
