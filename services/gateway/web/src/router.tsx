import { createBrowserRouter, Navigate, Outlet, type RouteObject } from "react-router";
import { GuestOnly } from "./components/Guards";
import { Shell } from "./components/Shell";
import { Account } from "./pages/account/Account";
import { Security } from "./pages/account/security/Security";
import { Checkout } from "./pages/checkout/Checkout";
import { Broken } from "./pages/Broken";
import { NotFound } from "./pages/NotFound";
import { CreatePasskey } from "./pages/CreatePasskey";
import { SignIn } from "./pages/signIn/SignIn";
import { SignUp } from "./pages/SignUp";
import { Verify } from "./pages/verify/Verify";
import { StepUpProvider } from "./proving/StepUpDialog";

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

/** Any page can ask for a confirmation. */
function WithStepUps() {
  return (
    <StepUpProvider>
      <Outlet />
    </StepUpProvider>
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
    element: <WithStepUps />,
    errorElement: <Broken />,
    children: [
      { path: "/", element: <Navigate to="/account" replace /> },
      {
        element: <Wide />,
        children: [
          { path: "/account", element: <Account /> },
          { path: "/account/security", element: <Security /> },
        ],
      },
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
          { path: "/create-passkey", element: <CreatePasskey /> },
          { path: "/checkout", element: <Checkout /> },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
];

export function createRouter() {
  return createBrowserRouter(routes);
}
