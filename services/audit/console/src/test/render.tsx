import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createMemoryRouter, RouterProvider } from "react-router";
import { createQueryClient } from "../api/queries";
import { App } from "../app";
import { routes } from "../router";

/** Draws the whole console at a path, as a browser would. */
export function open(path: string) {
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  const queries = createQueryClient();
  queries.setDefaultOptions({ queries: { ...queries.getDefaultOptions().queries, retry: false } });
  render(
    <App queries={queries}>
      <RouterProvider router={router} />
    </App>,
  );
  return { router, user: userEvent.setup() };
}
