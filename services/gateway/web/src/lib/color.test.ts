import { describe, expect, it } from "vitest";
import { accentScale, accentTokens, DEFAULT_BRAND } from "@look/theme";
import { contrast, hexOf, parseHex, toOklch } from "@look/color";

const hues = Array.from({ length: 24 }, (_, step) => (step * Math.PI) / 12);
const accents = [0.15, 0.45, 0.7, 0.95].flatMap((l) => hues.map((h) => hexOf({ l, c: 0.18, h })));

describe("colour", () => {
  it("reads short and long hexadecimal colours and nothing else", () => {
    expect(parseHex("#f00")).toEqual([1, 0, 0]);
    expect(parseHex("#0000FF")).toEqual([0, 0, 1]);
    expect(parseHex("red")).toBeNull();
    expect(parseHex("#12345")).toBeNull();
  });

  it("comes back from OKLCH as the colour that went in", () => {
    for (const hex of ["#0b6b57", "#ff9c90", "#123456", "#ffffff", "#000000"]) {
      expect(hexOf(toOklch(parseHex(hex) ?? [0, 0, 0]))).toBe(hex);
    }
  });

  it("measures contrast as WCAG does", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
    expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2);
  });
});

describe("brand accent", () => {
  it.each(["light", "dark"] as const)("is legible in the %s scheme whatever colour an operator chooses", (scheme) => {
    const surfaces = scheme === "light" ? ["#f6f8f7", "#ffffff", "#eef2f0"] : ["#101513", "#171e1b", "#1e2623"];
    for (const accent of accents) {
      const tokens = accentTokens({ ...DEFAULT_BRAND, accent }, scheme);
      for (const surface of [...surfaces, tokens.soft])
        expect(contrast(tokens.text, surface)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(tokens.onFill, tokens.fill)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(tokens.onFill, tokens.fillHover)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("is used as it is where it is legible", () => {
    expect(accentTokens({ ...DEFAULT_BRAND, accent: "#0b6b57" }, "light").fill).toBe("#0b6b57");
    expect(accentScale({ ...DEFAULT_BRAND, accent: "#0b6b57" })[6]).toBe("#0b6b57");
  });

  it("falls back to our own when it is not a colour", () => {
    expect(accentScale({ ...DEFAULT_BRAND, accent: "url(evil)" })).toEqual(accentScale(DEFAULT_BRAND));
  });
});
