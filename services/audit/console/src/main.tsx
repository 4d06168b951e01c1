import "./global.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";
import { createQueryClient } from "./api/queries";
import { App } from "./app";
import { createRouter } from "./router";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <App queries={createQueryClient()}>
      <RouterProvider router={createRouter()} />
    </App>
  </StrictMode>,
);
