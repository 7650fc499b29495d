// Light, dark or as the device has it; remembered in this browser.
import { useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";

const NAME = "tandem-theme";
const isDark = window.matchMedia?.("(prefers-color-scheme: dark)");

/** Puts the remembered theme on the page; called before anything is drawn. */
export function applyTheme(theme: Theme = readTheme()) {
  const shown = theme === "system" ? (isDark?.matches ? "dark" : "light") : theme;
  document.documentElement.dataset["theme"] = shown;
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(readTheme);
  useEffect(() => {
    applyTheme(theme);
    const follow = () => applyTheme(theme);
    isDark?.addEventListener("change", follow);
    return () => isDark?.removeEventListener("change", follow);
  }, [theme]);
  const choose = (next: Theme) => {
    writeSetting(NAME, next);
    setTheme(next);
  };
  return [theme, choose];
}

/** A setting of this browser; null when there is none or storage is forbidden. */
export function readSetting(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Remembers a setting in this browser, if it may; null forgets it. */
export function writeSetting(name: string, value: string | null) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // storage is forbidden: the setting lasts as long as the page
  }
}

function readTheme(): Theme {
  const kept = readSetting(NAME);
  return kept === "light" || kept === "dark" ? kept : "system";
}
