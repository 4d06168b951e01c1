/** What the log's own code made: seven entries, signed by two generations of a key; the proof is of the sixth entry. */

export const KEY = "log.example.test/audit+ab1abd8a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
export const NEXT_KEY = "log.example.test/audit+a11d766c+AXm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZk";
export const ENTRY = String.raw`{"event_id":"019aa9e6-6f0d-7d3c-8a51-000000000005","reason":"naïve — \u00e9","n":1.0, "x":[1,{"y":"}"}]}`;
export const EVENT_ID = "019aa9e6-6f0d-7d3c-8a51-000000000005";
export const LEAF_HASH = "a4eef480913ca8d8180e4240367e068ea4678b779da88a4a2a48b676a1d5f2df";
export const PROOF = `c2sp.org/tlog-proof@v1
extra MDE5YWE5ZTYtNmYwZC03ZDNjLThhNTEtMDAwMDAwMDAwMDA1OmE0ZWVmNDgwOTEzY2E4ZDgxODBlNDI0MDM2N2UwNjhlYTQ2NzhiNzc5ZGE4OGE0YTJhNDhiNjc2YTFkNWYyZGY=
index 5
3aoPpHrfAc1XR1RYeIT3WitMGqdVFsgncjidRBdc+Ws=
UxdJsl0z4Ce3FpikNDn0kR8KnvZeb1701uSkGWw0OjM=
awIOAi4FF4vYWmrpjbkiuqAvdrQ8f6EiRRtePYqQXwg=

log.example.test/audit
7
IHXb2OL8/AI6nnIn1PwAWzxXcy79JgfUFJZ7TStxb6Y=

— log.example.test/audit qxq9itWYdHgFmwzTP/qZInECVlu+JJO2XIy/O6s+woKQapT6eceskPRWrr8+bGAAsIgb/t9NbK5vryn6ZDQqhKgCkAc=
— log.example.test/audit oR12bPgLdmsha+A+NNl8lbtDFHEPcSqdMXKWb6vGd11s8PwCZBzAx4ZX20y2s38mtatXteeTlFfDgQWg4nP84IesBQQ=
`;
