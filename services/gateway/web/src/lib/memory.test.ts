import { expect, it } from "vitest";
import { numberMistake, plainNumber } from "./fields";
import { rememberOffer, wasOffered } from "./passkeyOffer";
import { rememberWay, usualWay } from "./way";

it.each([
  ["+44 7911 123456", "+447911123456"],
  ["+44 (0)7911 123-456", "+447911123456"],
  ["0044 7911/123456", "+447911123456"],
  ["＋44 7911 123456", "+447911123456"],
])("reads the number %s as %s", (typed, plain) => {
  expect(plainNumber(typed)).toBe(plain);
  expect(numberMistake(typed)).toBeNull();
});

it.each(["", "07911 123456", "+0 123", "+44 seven", "+1", "+1234567890123456"])(
  "wants a number other than %j",
  (typed) => {
    expect(numberMistake(typed)).not.toBeNull();
  },
);

it("begins with the way that worked last, as long as it is offered", () => {
  rememberWay(["AUTHENTICATOR_APP"]);
  expect(usualWay(["EMAIL_OTP", "AUTHENTICATOR_APP"])).toBe("AUTHENTICATOR_APP");
  expect(usualWay(["EMAIL_OTP"])).toBeNull();
  rememberWay(["EMAIL_OTP"]);
  expect(usualWay(["EMAIL_OTP", "AUTHENTICATOR_APP"])).toBeNull();
});

it("remembers the offer of a passkey for each person, and bears rubbish in the storage", () => {
  localStorage.setItem("countersign.passkey-offered", "{not json");
  expect(wasOffered("ada")).toBe(false);
  rememberOffer("ada");
  rememberOffer("bob");
  expect([wasOffered("ada"), wasOffered("bob"), wasOffered("eve")]).toEqual([true, true, false]);
});
