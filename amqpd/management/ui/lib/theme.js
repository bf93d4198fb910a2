// Dark or light: as the system says, unless the reader chose.

const THEME = "amqpd.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** "dark" or "light" */
export function theme() {
  return localStorage.getItem(THEME) ?? (system.matches ? "dark" : "light");
}

/** Apply what was chosen before. */
export function applyTheme() {
  const chosen = localStorage.getItem(THEME);
  if (chosen) document.documentElement.dataset.theme = chosen;
}

/** The other one from now on. */
export function toggleTheme() {
  localStorage.setItem(THEME, theme() === "dark" ? "light" : "dark");
  applyTheme();
}
