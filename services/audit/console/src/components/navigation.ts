import {
  IconBellRinging,
  IconBookmark,
  IconBug,
  IconFileExport,
  IconKey,
  IconLayoutDashboard,
  IconListSearch,
  IconRadar2,
  IconTimelineEvent,
  IconUserX,
} from "@tabler/icons-react";
import type { ComponentType } from "react";

interface Way {
  to: string;
  title: string;
  /** Pressed after `g`. */
  letter: string;
  Icon: ComponentType<{ size: number; stroke: number; "aria-hidden": "true" }>;
}

export const GROUPS: { name: string; ways: Way[] }[] = [
  {
    name: "Look",
    ways: [
      { to: "/", title: "Overview", letter: "o", Icon: IconLayoutDashboard },
      { to: "/search", title: "Search", letter: "s", Icon: IconListSearch },
      { to: "/searches", title: "Saved searches", letter: "b", Icon: IconBookmark },
      { to: "/alerts", title: "Alerts", letter: "a", Icon: IconBellRinging },
    ],
  },
  {
    name: "Check",
    ways: [
      { to: "/completeness", title: "Completeness", letter: "c", Icon: IconTimelineEvent },
      { to: "/detections", title: "Detections", letter: "d", Icon: IconRadar2 },
      { to: "/quarantine", title: "Quarantine", letter: "q", Icon: IconBug },
      { to: "/key", title: "Log key", letter: "k", Icon: IconKey },
    ],
  },
  {
    name: "Act",
    ways: [
      { to: "/exports", title: "Exports", letter: "e", Icon: IconFileExport },
      { to: "/erasures", title: "Erasure and holds", letter: "h", Icon: IconUserX },
    ],
  },
];

export const WAYS = GROUPS.flatMap(({ ways }) => ways);
