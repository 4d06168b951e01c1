import { createBrowserRouter, Navigate, Outlet, type RouteObject } from "react-router";
import { GuestOnly } from "./components/Guards";
import { Shell } from "./components/Shell";
import { Account } from "./pages/account/Account";
import { Broken } from "./pages/Broken";
import { NotFound } from "./pages/NotFound";
import { SignIn } from "./pages/SignIn";
import { SignUp } from "./pages/SignUp";
import { Verify } from "./pages/verify/Verify";

function Narrow() {
  return (
    <Shell>
      <Outlet />
    </Shell>
  );
}

function Wide() {
  return (
    <Shell wide>
      <Outlet />
    </Shell>
  );
}

function ForGuests() {
  return (
    <GuestOnly>
      <Outlet />
    </GuestOnly>
  );
}

export const routes: RouteObject[] = [
  {
    errorElement: <Broken />,
    children: [
      { path: "/", element: <Navigate to="/account" replace /> },
      { element: <Wide />, children: [{ path: "/account", element: <Account /> }] },
      {
        element: <Narrow />,
        children: [
          {
            element: <ForGuests />,
            children: [
              { path: "/sign-in", element: <SignIn /> },
              { path: "/sign-up", element: <SignUp /> },
            ],
          },
          { path: "/verify", element: <Verify /> },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
];

export function createRouter() {
  return createBrowserRouter(routes);
}
