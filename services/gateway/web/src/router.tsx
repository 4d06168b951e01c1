import { lazy, Suspense } from "react";
import { createBrowserRouter, Navigate, Outlet, type RouteObject } from "react-router";
import { useConfig } from "./brand";
import { GuestOnly } from "./components/Guards";
import { Shell } from "./components/Shell";
import { Waiting } from "./components/Waiting";
import { Account } from "./pages/account/Account";
import { Broken } from "./pages/Broken";
import { Goodbye } from "./pages/Goodbye";
import { NotFound } from "./pages/NotFound";
import { CreatePasskey } from "./pages/CreatePasskey";
import { SignIn } from "./pages/signIn/SignIn";
import { SignUp } from "./pages/SignUp";
import { Verify } from "./pages/verify/Verify";
import { StepUpProvider } from "./proving/StepUpDialog";

// Fetched when they are opened: nobody needs them to sign in.
const Security = lazy(() => import("./pages/account/security/Security").then((page) => ({ default: page.Security })));
const Confirm = lazy(() => import("./pages/Confirm").then((page) => ({ default: page.Confirm })));
const Checkout = lazy(() => import("./pages/checkout/Checkout").then((page) => ({ default: page.Checkout })));

function Column({ wide }: { wide: boolean }) {
  return (
    <Shell wide={wide}>
      <Suspense fallback={<Waiting label="Opening" />}>
        <Outlet />
      </Suspense>
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

/** The demo shop is nobody's page where it is not switched on. */
function DemoShop() {
  return useConfig().features.demo_checkout ? <Checkout /> : <NotFound />;
}

export const routes: RouteObject[] = [
  {
    element: <WithStepUps />,
    errorElement: <Broken />,
    children: [
      { path: "/", element: <Navigate to="/account" replace /> },
      {
        element: <Column wide />,
        children: [
          { path: "/account", element: <Account /> },
          { path: "/account/security", element: <Security /> },
        ],
      },
      {
        element: <Column wide={false} />,
        children: [
          {
            element: <ForGuests />,
            children: [
              { path: "/sign-in", element: <SignIn /> },
              { path: "/sign-up", element: <SignUp /> },
            ],
          },
          { path: "/goodbye", element: <Goodbye /> },
          { path: "/verify", element: <Verify /> },
          { path: "/create-passkey", element: <CreatePasskey /> },
          { path: "/confirm", element: <Confirm /> },
          { path: "/checkout", element: <DemoShop /> },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
];

export function createRouter() {
  return createBrowserRouter(routes);
}
