import { lazy, type ComponentType } from "react";
import { createBrowserRouter, type RouteObject } from "react-router";
import { Frame } from "./components/Frame";
import { BASENAME } from "./lib/base";
import { Broken, NoSuchView } from "./views/Broken";
import { Overview } from "./views/Overview";
import { Search } from "./views/search/Search";

// Fetched when it is opened first. Overview and search are where every day begins, so they come along at once.
function later<Name extends string>(fetch: () => Promise<Record<Name, ComponentType>>, name: Name) {
  return lazy(() => fetch().then((views) => ({ default: views[name] })));
}

const EventView = later(() => import("./views/event/EventView"), "EventView");
const SubjectView = later(() => import("./views/SubjectView"), "SubjectView");
const SessionView = later(() => import("./views/StoryView"), "SessionView");
const AttemptView = later(() => import("./views/StoryView"), "AttemptView");
const Searches = later(() => import("./views/Searches"), "Searches");
const Alerts = later(() => import("./views/Alerts"), "Alerts");
const AlertView = later(() => import("./views/AlertView"), "AlertView");
const Detections = later(() => import("./views/Detections"), "Detections");
const Quarantine = later(() => import("./views/Quarantine"), "Quarantine");
const QuarantinedView = later(() => import("./views/QuarantinedView"), "QuarantinedView");
const Exports = later(() => import("./views/Exports"), "Exports");
const Erasures = later(() => import("./views/Erasures"), "Erasures");
const Completeness = later(() => import("./views/Completeness"), "Completeness");
const LogKey = later(() => import("./views/LogKey"), "LogKey");

/** The first segment of each path is also in services/audit/pages.py, which says what is the console's. */
export const routes: RouteObject[] = [
  {
    element: <Frame />,
    errorElement: <Broken />,
    children: [
      { path: "/", element: <Overview /> },
      { path: "/search", element: <Search /> },
      { path: "/events/:id", element: <EventView /> },
      { path: "/subjects/:sub", element: <SubjectView /> },
      { path: "/sessions/:id", element: <SessionView /> },
      { path: "/attempts/:id", element: <AttemptView /> },
      { path: "/searches", element: <Searches /> },
      { path: "/alerts", element: <Alerts /> },
      { path: "/alerts/:id", element: <AlertView /> },
      { path: "/detections", element: <Detections /> },
      { path: "/quarantine", element: <Quarantine /> },
      { path: "/quarantine/:id", element: <QuarantinedView /> },
      { path: "/exports", element: <Exports /> },
      { path: "/erasures", element: <Erasures /> },
      { path: "/completeness", element: <Completeness /> },
      { path: "/key", element: <LogKey /> },
      { path: "*", element: <NoSuchView /> },
    ],
  },
];

export function createRouter() {
  return createBrowserRouter(routes, { basename: BASENAME || "/" });
}
