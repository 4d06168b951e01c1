import {
  Button,
  Input,
  InputWrapper,
  mergeThemeOverrides,
  NativeSelect,
  Skeleton,
  Textarea,
  TextInput,
  type MantineThemeOverride,
} from "@mantine/core";
import { createBrandTheme, type Brand } from "@look/theme";

/** The shared look, closer together: for people who read this for eight hours a day, with a mouse or a keyboard. */
export function createConsoleTheme(brand: Brand): MantineThemeOverride {
  return mergeThemeOverrides(createBrandTheme(brand), {
    headings: {
      sizes: {
        h1: { fontSize: "1.375rem", lineHeight: "1.25" },
        h2: { fontSize: "0.9375rem", lineHeight: "1.35" },
        h3: { fontSize: "0.875rem", lineHeight: "1.4" },
      },
    },
    components: {
      Button: Button.extend({ defaultProps: { size: "xs", radius: "sm" }, vars: () => ({ root: {} }) }),
      Input: Input.extend({
        defaultProps: { size: "sm", radius: "sm" },
        vars: (_theme, props) => ({
          wrapper: { "--input-height": "2.25rem", ...(props.error ? {} : { "--input-bd": "var(--cs-field-line)" }) },
        }),
      }),
      InputWrapper: InputWrapper.extend({
        defaultProps: { size: "xs" },
        styles: { label: { marginBottom: "0.25rem" }, error: { marginTop: "0.25rem", fontSize: "0.875rem" } },
      }),
      TextInput: TextInput.extend({ defaultProps: { size: "sm" } }),
      Textarea: Textarea.extend({ defaultProps: { size: "sm" } }),
      NativeSelect: NativeSelect.extend({ defaultProps: { size: "sm" } }),
      Skeleton: Skeleton.extend({ defaultProps: { radius: "sm" } }),
    },
  });
}
