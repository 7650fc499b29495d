// Desktop notifications, on or off in this browser. It is asked for only when somebody presses the button.
import { BellRing } from "lucide-react";
import { useState } from "react";
import { Button } from "../../ui/basics";
import { askForDesktop, desktopState, switchDesktop } from "./desktop-state";

export function Desktop() {
  const [state, setState] = useState(desktopState);
  if (state === "unsupported") return null;
  const words = {
    ask: "Also when this page is in the background",
    off: "Desktop notifications are off",
    on: "Desktop notifications are on",
    blocked: "This browser blocks desktop notifications for this page",
  }[state];
  const turn = (on: boolean) => {
    switchDesktop(on);
    setState(desktopState());
  };
  return (
    <footer className="flex min-h-12 items-center gap-2 border-line border-t py-1.5 ps-4 pe-2 text-ink-soft text-xs">
      <BellRing aria-hidden="true" size={14} className="shrink-0" />
      <p className="grow">{words}</p>
      {state === "ask" && (
        <Button size="small" onClick={() => void askForDesktop().then(setState)}>
          Turn on desktop notifications
        </Button>
      )}
      {state === "off" && (
        <Button size="small" onClick={() => turn(true)}>
          Turn on
        </Button>
      )}
      {state === "on" && (
        <Button size="small" onClick={() => turn(false)}>
          Turn off
        </Button>
      )}
    </footer>
  );
}
