// Desktop notifications, on or off in this browser. It is asked for only when somebody presses the button.
import { BellRing } from "lucide-react";
import { useState } from "react";
import { Button } from "../../ui/basics";
import { askForDesktop, desktopState, switchDesktop } from "./desktop-state";

export function Desktop() {
  const [state, setState] = useState(desktopState);
  if (state === "unsupported") return null;
  const turn = (on: boolean) => {
    switchDesktop(on);
    setState(desktopState());
  };
  const words = {
    ask: "Desktop notifications are off",
    off: "Desktop notifications are off",
    on: "Desktop notifications are on",
    blocked: "This browser blocks desktop notifications for this page",
  };
  return (
    <footer className="flex min-h-12 items-center gap-2 border-line border-t py-1.5 ps-4 pe-2 text-ink-soft text-xs">
      <BellRing aria-hidden="true" size={14} className="shrink-0" />
      <p className="grow">{words[state]}</p>
      {state !== "blocked" && (
        <Button
          size="small"
          aria-label={state === "on" ? "Turn off desktop notifications" : "Turn on desktop notifications"}
          onClick={() => (state === "ask" ? void askForDesktop().then(setState) : turn(state === "off"))}
        >
          {state === "on" ? "Turn off" : "Turn on"}
        </Button>
      )}
    </footer>
  );
}
