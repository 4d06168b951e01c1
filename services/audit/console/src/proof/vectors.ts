/** What the log's own code made: seven entries, signed by two generations of a key; the proof is of the sixth entry. */

export const KEY = "log.example.test/audit+ab1abd8a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
export const NEXT_KEY = "log.example.test/audit+a11d766c+AXm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZk";
export const ENTRY = String.raw`{"event_id":"019aa9e6-6f0d-7d3c-8a51-000000000005","schema_version":1,"event_type":"sign_in.failed","outcome":"failure","occurred_at":"2026-01-02T03:04:05.120417Z","producer":{"service":"gateway","instance":"8a0c0000-0000-4000-8000-000000000000","seq":5},"salt":"5d0e5d0e5d0e5d0e5d0e5d0e5d0e5d0e", "reason":"naïve — \u00e9","data":{"n":1.0, "x":[1,{"y":"}"}]}}`;
export const EVENT_ID = "019aa9e6-6f0d-7d3c-8a51-000000000005";
export const LEAF_HASH = "1e16d6503f76d36d42f4f016d24485edec99bd93030f3dabbe07d3ad3a688923";
export const PROOF = `c2sp.org/tlog-proof@v1
extra MDE5YWE5ZTYtNmYwZC03ZDNjLThhNTEtMDAwMDAwMDAwMDA1OjFlMTZkNjUwM2Y3NmQzNmQ0MmY0ZjAxNmQyNDQ4NWVkZWM5OWJkOTMwMzBmM2RhYmJlMDdkM2FkM2E2ODg5MjM=
index 5
q6avsGXaLTybJ1QzPmeRk1ddGyDHZI5AGjJQ1luzJmo=
K4lqsXwCeibAm1NblqWjaVFAY+N5UnryqMQC5Gi+HGE=
02fYRe0XzG3HERq+4pZQGNtF0KBCsuvQZMP0aAnkaY4=

log.example.test/audit
7
AI/BoR0xFmNnkbKynFDFGRnm5ve2893n8xYhEZTUz2M=

— log.example.test/audit qxq9iqzi4LJdmocwSW8eJc/aBxKIsPscZvu7HBSqXTVNqyiHNbtBq0m4SnDstsSB3PiNKe22D1TODXRNcBPO4CePRgc=
— log.example.test/audit oR12bNBJznzhFH6OmuRpcIwdbx0CevhHYFiM2jmH2CaWprOclKqbb2tIHhAqGzAeKCC6FSTHKNY7rZ8MKxCoa08hbwo=
`;
