// The connection pill, fed with the state of the line.
import { LinkPill } from "../ui/link-pill";
import { useLink, useLive, useSession } from "./session";

export function LinkState() {
  const { live } = useSession();
  const link = useLink();
  const queued = useLive(({ pending }) => pending.filter(({ fate }) => fate.at === "sending").length);
  const isBehind = useLive(({ topics }) =>
    Object.values(topics).some(({ link: at, stream }) => at.at === "behind" || (at.at === "asked" && stream !== null)),
  );
  if (link.at === "idle") return null;
  const heardMs = live.heardMs();
  return (
    <LinkPill
      link={link.at === "live" && isBehind ? "catching_up" : link.at}
      attempt={link.at === "reconnecting" ? link.attempt : 0}
      queued={link.at === "live" ? 0 : queued}
      dataAt={heardMs === null ? null : new Date(heardMs).toISOString()}
    />
  );
}
