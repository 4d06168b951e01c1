/**
 * Colour arithmetic in OKLCH (perceived lightness 0 to 1, chroma, hue), so that any brand colour yields an even scale.
 * Source: Ottosson, "A perceptual color space for image processing"; contrast from WCAG 2.2.
 */
export interface Oklch {
  l: number;
  c: number;
  h: number;
}

type Triple = [number, number, number];

/** `#rgb` or `#rrggbb` as sRGB from 0 to 1; null for anything else. */
export function parseHex(hex: string): Triple | null {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(hex);
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  const parts = short ? short.slice(1).map((digit) => digit + digit) : long?.slice(1);
  return parts ? (parts.map((part) => parseInt(part, 16) / 255) as Triple) : null;
}

function toHex(rgb: Triple): string {
  const byte = (x: number) => Math.round(Math.min(1, Math.max(0, x)) * 255);
  return `#${rgb.map((x) => byte(x).toString(16).padStart(2, "0")).join("")}`;
}

const linear = (x: number) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
const gamma = (x: number) => (x <= 0.0031308 ? x * 12.92 : 1.055 * x ** (1 / 2.4) - 0.055);

export function toOklch(rgb: Triple): Oklch {
  const [r, g, b] = rgb.map(linear) as Triple;
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const a = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const bb = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  return { l: 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, c: Math.hypot(a, bb), h: Math.atan2(bb, a) };
}

function toRgb({ l, c, h }: Oklch): Triple {
  const a = c * Math.cos(h);
  const b = c * Math.sin(h);
  const l3 = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m3 = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s3 = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l3 - 3.3077115913 * m3 + 0.2309699292 * s3,
    -1.2684380046 * l3 + 2.6097574011 * m3 - 0.3413193965 * s3,
    -0.0041960863 * l3 - 0.7034186147 * m3 + 1.707614701 * s3,
  ];
}

/** The nearest colour that a screen can show: chroma gives way, lightness and hue stay. */
export function hexOf(color: Oklch): string {
  const outside = (rgb: Triple) => rgb.some((x) => x < -1e-4 || x > 1.0001);
  let candidate = color;
  for (let step = 0; step < 40 && outside(toRgb(candidate)); step += 1)
    candidate = { ...candidate, c: candidate.c * 0.94 };
  return toHex(toRgb(candidate).map(gamma) as Triple);
}

function luminance(hex: string): number {
  const [r, g, b] = (parseHex(hex) ?? [0, 0, 0]).map(linear) as Triple;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG contrast ratio, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** `color` moved darker or lighter, only as far as it takes to be read on every one of `backgrounds`. */
export function legibleOn(color: Oklch, backgrounds: string[], towards: "dark" | "light", ratio = 4.6): string {
  const step = towards === "dark" ? -0.01 : 0.01;
  let candidate = color;
  while (candidate.l > 0.02 && candidate.l < 0.98) {
    const hex = hexOf(candidate);
    if (backgrounds.every((background) => contrast(hex, background) >= ratio)) return hex;
    candidate = { ...candidate, l: candidate.l + step };
  }
  return towards === "dark" ? "#000000" : "#ffffff";
}
