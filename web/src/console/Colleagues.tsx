// Who of the team is here right now, anywhere in the workspace.
import { useLive, useSession } from "../app/session";
import { Avatar } from "../ui/basics";

/** More than these are counted. */
const MOST = 6;

export function Colleagues() {
  const { user } = useSession();
  const others = useLive((state) => state.online).filter(({ id }) => id !== user.id);
  if (others.length === 0) return null;
  const more = others.slice(MOST);
  return (
    <section aria-label="Here now" className="max-lg:hidden">
      <p className="mb-1.5 ps-1.5 text-ink-soft text-xs">Here now</p>
      <ul className="flex flex-wrap gap-1 ps-1.5">
        {others.slice(0, MOST).map(({ id, name }) => (
          <li key={id} title={name}>
            <span className="sr-only">{name}</span>
            <Avatar name={name} tone="staff" />
          </li>
        ))}
        {more.length > 0 && (
          <li title={more.map(({ name }) => name).join("\n")} className="self-center text-ink-soft text-xs">
            +{more.length}
          </li>
        )}
      </ul>
    </section>
  );
}
