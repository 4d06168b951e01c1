import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import { forgetAddress, forgetAttempt } from "../lib/attempt";

// What browsers have and jsdom has not.
class NoResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

// A busy machine is not a failure.
configure({ asyncUtilTimeout: 5000 });

beforeEach(() => {
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
  };
  vi.stubGlobal("ResizeObserver", NoResizeObserver);
  vi.stubGlobal("matchMedia", (query: string) => ({
    matches: query === "(pointer: fine)",
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  forgetAttempt();
  forgetAddress();
  localStorage.clear();
});
