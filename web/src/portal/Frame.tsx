// What surrounds every screen of the portal.
import { Plus } from "lucide-react";
import { Link, Outlet } from "react-router";
import { Bell } from "../app/bell/Bell";
import { LinkState } from "../app/link-state";
import { useSession } from "../app/session";
import { UserMenu } from "../app/user-menu";
import { buttonLook, Nothing } from "../ui/basics";
import { Fence } from "../ui/fence";
import { Mark } from "../ui/mark";

export function Frame() {
  const { user, workspace, signOut } = useSession();
  if (user.role !== "customer") return <WrongDoor onSignOut={signOut} />;
  return (
    <div className="flex h-full flex-col">
      <LinkState />
      <header className="border-line border-b bg-surface">
        <div className="mx-auto flex w-full max-w-3xl items-center gap-2 px-4 py-2">
          <Link to="/" className="flex min-h-10 min-w-0 items-center gap-2.5 rounded-lg">
            <Mark size={28} />
            <span className="truncate font-semibold">
              {workspace.name} <span className="font-normal text-ink-soft max-sm:hidden">help centre</span>
            </span>
          </Link>
          <div className="ms-auto flex items-center gap-1">
            <Link to="/new" className={buttonLook("primary")}>
              <Plus aria-hidden="true" size={16} />
              <span>
                New<span className="max-sm:sr-only"> ticket</span>
              </span>
            </Link>
            <Bell empty="When we answer you, it shows up here." />
            <UserMenu />
          </div>
        </div>
      </header>
      <main className="min-h-0 grow">
        <Fence what="This page">
          <Outlet />
        </Fence>
      </main>
    </div>
  );
}

/** Whoever works here sees the whole tickets elsewhere. */
function WrongDoor({ onSignOut }: { onSignOut: () => void }) {
  return (
    <main>
      <Nothing title="This is the customers' help centre">
        <p>You work here: the tickets are in your team's console.</p>
        <a href="/" className={buttonLook("primary")}>
          Go to the console
        </a>
        <button type="button" onClick={onSignOut} className={buttonLook("quiet")}>
          Sign out
        </button>
      </Nothing>
    </main>
  );
}
