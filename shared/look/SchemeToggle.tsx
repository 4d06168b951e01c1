import { SegmentedControl, useMantineColorScheme, VisuallyHidden, type MantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";
import type { ComponentType } from "react";
import classes from "./SchemeToggle.module.css";

const SCHEMES: { value: MantineColorScheme; name: string; Icon: ComponentType<{ size: number; stroke: number }> }[] = [
  { value: "light", name: "Light", Icon: IconSun },
  { value: "auto", name: "As on this device", Icon: IconDeviceDesktop },
  { value: "dark", name: "Dark", Icon: IconMoon },
];

export function SchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      aria-label="Colours"
      size="xs"
      value={colorScheme}
      onChange={(value) => setColorScheme(value)}
      classNames={{
        root: classes.scheme ?? "",
        label: classes.schemeLabel ?? "",
        indicator: classes.schemeIndicator ?? "",
      }}
      data={SCHEMES.map(({ value, name, Icon }) => ({
        value,
        label: (
          <span className={classes.schemeIcon} title={name}>
            <Icon size={16} stroke={1.8} />
            <VisuallyHidden>{name}</VisuallyHidden>
          </span>
        ),
      }))}
    />
  );
}
