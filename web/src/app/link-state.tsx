// The connection pill, fed with the state of the line.
import { LinkPill } from "../ui/link-pill";
import { useLink, useLiveState } from "./session";

export function LinkState() {
  const link = useLink();
  const waiting = useLiveState().pending.filter(({ fate }) => fate.at === "sending").length;
  if (link.at === "idle") return null;
  return <LinkPill link={link.at} attempt={link.at === "reconnecting" ? link.attempt : 0} waiting={waiting} />;
}
