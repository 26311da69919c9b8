// Runs before the first paint, so that a dark page never flashes white. The choice is the browser's own: it is
// a matter of this screen, not of the user's record.
(() => {
  "use strict";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const choice = () => {
    try { return localStorage.getItem("theme") || "auto"; } catch { return "auto"; }
  };
  const apply = () => {
    const theme = choice() === "auto" ? (dark.matches ? "dark" : "light") : choice();
    document.documentElement.dataset.bsTheme = theme;
  };
  dark.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  window.misTheme = {
    choice,
    set(theme) {
      try { localStorage.setItem("theme", theme); } catch { /* a private window: for this page only */ }
      apply();
    },
  };
  apply();
})();
