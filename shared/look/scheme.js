// Sets the colour scheme on <html> before the first paint; Mantine takes over from there. The key is also in theme.ts.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("countersign-scheme");
  } catch {
    // Storage can be closed to us (a private window): the system's scheme will do.
  }
  if (chosen !== "light" && chosen !== "dark") {
    chosen = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.setAttribute("data-mantine-color-scheme", chosen);
})();
