import {
  Anchor,
  Button,
  createTheme,
  Input,
  InputWrapper,
  defaultVariantColorsResolver,
  localStorageColorSchemeManager,
  TextInput,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  type MantineThemeOverride,
} from "@mantine/core";
import { contrast, hexOf, legibleOn, parseHex, toOklch, type Oklch } from "./color";

/**
 * The look of every page, in one place: type, spacing, colour, light and dark, and the operator's brand.
 *
 * Pages use the `--cs-*` tokens and Mantine's components; no page names a colour or a font of its own.
 */

/** The brand block, which an operator sets without a build: it comes from `GET /v1/config`. */
export interface Brand {
  name: string;
  logo_url: string | null;
  accent: string | null;
}

export const DEFAULT_BRAND: Brand = { name: "Countersign", logo_url: null, accent: null };
const DEFAULT_ACCENT = "#0b6b57";

/** The same key as in scheme.js, which runs before the first paint. */
export const schemeManager = localStorageColorSchemeManager({ key: "countersign-scheme" });

/** Chosen for letters that cannot be mistaken for each other (0 O, 1 l I): people read addresses, codes and ids here. */
export const FONT = "'Atkinson Hyperlegible Next Variable', system-ui, -apple-system, 'Segoe UI', sans-serif";
export const FONT_MONO = "'Atkinson Hyperlegible Mono Variable', ui-monospace, 'SF Mono', Menlo, Consolas, monospace";

/** Neutrals with a trace of green, so that greys sit well beside the ink. */
const LIGHT = {
  canvas: "#f6f8f7",
  surface: "#ffffff",
  sunken: "#eef2f0",
  line: "#dbe2de",
  field: "#82908a",
  ink: "#15201c",
  ink2: "#55625c",
  danger: "#b3261e",
  dangerSoft: "#fdf0ee",
  dangerLine: "#efc9c4",
  warn: "#7a4f01",
  warnSoft: "#fdf5e3",
  warnLine: "#ecd9ac",
  // How things ended, in charts and marks: each is seen on the surface, and told from the others without colour by its words.
  success: "#2f8a66",
  failure: "#b9770e",
  denied: "#c0392b",
  error: "#7a4fb5",
  pending: "#8a978f",
};

const DARK: typeof LIGHT = {
  canvas: "#101513",
  surface: "#171e1b",
  sunken: "#1e2623",
  line: "#2b3531",
  field: "#6f7d77",
  ink: "#e8eeeb",
  ink2: "#a0aea8",
  danger: "#ff9c90",
  dangerSoft: "#2c1a18",
  dangerLine: "#5b302b",
  warn: "#f0c46a",
  warnSoft: "#272013",
  warnLine: "#54431d",
  success: "#4fae88",
  failure: "#dd9f38",
  denied: "#ee7567",
  error: "#b08fe6",
  pending: "#7b8982",
};

const GREY: MantineColorsTuple = [
  "#f6f8f7",
  "#eef2f0",
  "#dbe2de",
  "#c9d2cd",
  "#a8b4ae",
  "#82908a",
  "#66736d",
  "#55625c",
  "#323c38",
  "#15201c",
];
const DARK_GREY: MantineColorsTuple = [
  "#e8eeeb",
  "#c8d2cd",
  "#a0aea8",
  "#6f7d77",
  "#2b3531",
  "#232c29",
  "#1e2623",
  "#101513",
  "#0c100e",
  "#080b0a",
];

interface AccentTokens {
  fill: string;
  /** The edge of a fill that is hardly seen on the surface, such as yellow on white; else the fill itself. */
  fillLine: string;
  fillHover: string;
  onFill: string;
  text: string;
  soft: string;
  softLine: string;
}

const INK_ON_LIGHT = "#08110e";

function onFill(fill: string): string {
  if (contrast(fill, "#ffffff") >= 4.5) return "#ffffff";
  return contrast(fill, INK_ON_LIGHT) >= 4.5 ? INK_ON_LIGHT : "#000000";
}

function accentOf(brand: Brand): Oklch {
  return toOklch(parseHex(brand.accent ?? "") ?? (parseHex(DEFAULT_ACCENT) as [number, number, number]));
}

/** The brand's colour for each use in one scheme, moved only as far as legibility asks (WCAG AA in both schemes). */
export function accentTokens(brand: Brand, scheme: "light" | "dark"): AccentTokens {
  const accent = accentOf(brand);
  const isLight = scheme === "light";
  const base = isLight ? LIGHT : DARK;
  // By day the brand's very colour. On the dark canvas a deep colour would sink, so it is lifted; black becomes white.
  const fill = hexOf(
    isLight ? accent : { ...accent, l: Math.max(accent.l, accent.c < 0.03 ? 0.92 : 0.74), c: Math.min(accent.c, 0.13) },
  );
  const fillLch = toOklch(parseHex(fill) as [number, number, number]);
  const away = onFill(fill) === "#ffffff" ? -0.045 : 0.04;
  const soft = hexOf({ l: isLight ? 0.965 : 0.255, c: Math.min(accent.c, isLight ? 0.02 : 0.03), h: accent.h });
  const text = legibleOn(
    isLight ? accent : fillLch,
    [base.canvas, base.surface, base.sunken, soft],
    isLight ? "dark" : "light",
  );
  return {
    fill,
    fillLine: contrast(fill, base.surface) < 3 ? text : fill,
    fillHover: hexOf({ ...fillLch, l: fillLch.l + away }),
    onFill: onFill(fill),
    text,
    soft,
    softLine: hexOf({ l: isLight ? 0.89 : 0.36, c: Math.min(accent.c, 0.045), h: accent.h }),
  };
}

/** Ten steps from a tint to a shade, the brand's own colour seventh, for components that ask for a scale. */
export function accentScale(brand: Brand): MantineColorsTuple {
  const accent = accentOf(brand);
  const tints = [0.975, 0.94, 0.88, 0.81, 0.73, 0.65];
  const lighter = tints.map((l, step) =>
    hexOf({ ...accent, l: Math.max(l, accent.l), c: accent.c * (0.15 + step * 0.15) }),
  );
  const darker = [0.88, 0.76, 0.64].map((share) => hexOf({ ...accent, l: accent.l * share }));
  return [...lighter, hexOf(accent), ...darker] as unknown as MantineColorsTuple;
}

function schemeVariables(brand: Brand, scheme: "light" | "dark"): Record<string, string> {
  const base = scheme === "light" ? LIGHT : DARK;
  const accent = accentTokens(brand, scheme);
  const shadow = scheme === "light" ? "0 1px 2px rgb(20 40 32 / 5%), 0 12px 40px -12px rgb(20 40 32 / 12%)" : "none";
  return {
    "--cs-canvas": base.canvas,
    "--cs-surface": base.surface,
    "--cs-sunken": base.sunken,
    "--cs-line": base.line,
    "--cs-field-line": base.field,
    "--cs-ink": base.ink,
    "--cs-ink-2": base.ink2,
    "--cs-danger": base.danger,
    "--cs-danger-soft": base.dangerSoft,
    "--cs-danger-line": base.dangerLine,
    "--cs-warn": base.warn,
    "--cs-warn-soft": base.warnSoft,
    "--cs-warn-line": base.warnLine,
    "--cs-success": base.success,
    "--cs-failure": base.failure,
    "--cs-denied": base.denied,
    "--cs-error": base.error,
    "--cs-pending": base.pending,
    "--cs-accent-fill": accent.fill,
    "--cs-accent-fill-line": accent.fillLine,
    "--cs-accent-fill-hover": accent.fillHover,
    "--cs-on-accent": accent.onFill,
    "--cs-accent-text": accent.text,
    "--cs-accent-soft": accent.soft,
    "--cs-accent-line": accent.softLine,
    "--cs-shadow": shadow,
    "--mantine-color-body": base.canvas,
    "--mantine-color-text": base.ink,
    "--mantine-color-dimmed": base.ink2,
    "--mantine-color-placeholder": base.ink2,
    "--mantine-color-anchor": accent.text,
    "--mantine-color-error": base.danger,
    "--mantine-color-default": base.surface,
    "--mantine-color-default-border": base.line,
    "--mantine-primary-color-filled": accent.fill,
    "--mantine-primary-color-filled-hover": accent.fillHover,
  };
}

export function cssVariables(brand: Brand): CSSVariablesResolver {
  return () => ({
    variables: {},
    light: schemeVariables(brand, "light"),
    dark: schemeVariables(brand, "dark"),
  });
}

export function createBrandTheme(brand: Brand): MantineThemeOverride {
  return createTheme({
    primaryColor: "accent",
    colors: { accent: accentScale(brand), gray: GREY, dark: DARK_GREY },
    black: LIGHT.ink,
    fontFamily: FONT,
    fontFamilyMonospace: FONT_MONO,
    lineHeights: { xs: "1.4", sm: "1.5", md: "1.55", lg: "1.6", xl: "1.65" },
    fontSizes: { xs: "0.8125rem", sm: "0.9375rem", md: "1rem", lg: "1.125rem", xl: "1.25rem" },
    spacing: { xs: "0.5rem", sm: "0.75rem", md: "1rem", lg: "1.5rem", xl: "2.25rem" },
    radius: { xs: "4px", sm: "6px", md: "10px", lg: "16px", xl: "24px" },
    defaultRadius: "md",
    respectReducedMotion: true,
    cursorType: "pointer",
    headings: {
      fontFamily: FONT,
      fontWeight: "680",
      textWrap: "balance",
      sizes: {
        h1: { fontSize: "clamp(1.625rem, 1.45rem + 0.9vw, 1.9375rem)", lineHeight: "1.2" },
        h2: { fontSize: "1.125rem", lineHeight: "1.35" },
        h3: { fontSize: "1rem", lineHeight: "1.4" },
      },
    },
    variantColorResolver: (input) =>
      input.variant === "filled" && (input.color === undefined || input.color === "accent")
        ? {
            background: "var(--cs-accent-fill)",
            hover: "var(--cs-accent-fill-hover)",
            color: "var(--cs-on-accent)",
            border: "1px solid var(--cs-accent-fill-line)",
          }
        : defaultVariantColorsResolver(input),
    components: {
      Anchor: Anchor.extend({ defaultProps: { underline: "always", inherit: true } }),
      // Large enough for a thumb (WCAG 2.2, 2.5.8, with room to spare).
      Button: Button.extend({
        defaultProps: { size: "md" },
        vars: (_theme, props) => ({
          root: {
            ...(props.size === "md" ? { "--button-height": "3rem" } : {}),
            ...(props.variant === undefined ? { "--button-bd": "1px solid var(--cs-accent-fill-line)" } : {}),
          },
        }),
      }),
      Input: Input.extend({
        defaultProps: { size: "md" },
        vars: (_theme, props) => ({
          wrapper: { "--input-height": "3rem", ...(props.error ? {} : { "--input-bd": "var(--cs-field-line)" }) },
        }),
      }),
      InputWrapper: InputWrapper.extend({
        defaultProps: { size: "sm" },
        styles: {
          label: { marginBottom: "0.4rem" },
          description: { marginBottom: "0.5rem", fontSize: "0.875rem", lineHeight: 1.45 },
          error: { marginTop: "0.4rem", fontSize: "0.9375rem", fontWeight: 550 },
        },
      }),
      TextInput: TextInput.extend({ defaultProps: { size: "md" } }),
    },
  });
}
