// Whether this browser shows desktop notifications: it must be able to, allowed to, and asked to.
import { readSetting, writeSetting } from "../../ui/theme";

export type DesktopState = "unsupported" | "ask" | "blocked" | "on" | "off";

const NAME = "tandem-desktop";

export function desktopState(): DesktopState {
  if (!("Notification" in window) || !window.isSecureContext) return "unsupported";
  switch (Notification.permission) {
    case "default":
      return "ask";
    case "denied":
      return "blocked";
    case "granted":
      return readSetting(NAME) === "off" ? "off" : "on";
  }
}

export function switchDesktop(on: boolean) {
  writeSetting(NAME, on ? null : "off");
}

/** Browsers ask only in answer to a click. */
export async function askForDesktop(): Promise<DesktopState> {
  await Notification.requestPermission();
  switchDesktop(true);
  return desktopState();
}
