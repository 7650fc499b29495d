// The console's one screen: views, list and ticket side by side where there is room, one at a time where there is not.
import clsx from "clsx";
import { Inbox } from "lucide-react";
import { useRef } from "react";
import { useParams, useSearchParams } from "react-router";
import { Bell, type BellHandle } from "../app/bell/Bell";
import { LinkState } from "../app/link-state";
import type { ReplyBoxHandle } from "../app/reply-box";
import { useSession, useTopic } from "../app/session";
import { UserMenu } from "../app/user-menu";
import { isStaff } from "../client/rest";
import { buttonLook, Nothing } from "../ui/basics";
import { Fence } from "../ui/fence";
import { Mark } from "../ui/mark";
import { useTitle } from "../ui/title";
import { Colleagues } from "./Colleagues";
import { useShortcuts } from "./keys";
import { List, type ListHandle } from "./scenes/List/List";
import { Rail } from "./scenes/List/Rail";
import { Ticket, type TicketHandle } from "./scenes/Ticket/Ticket";
import { readChoice, VIEWS } from "./views";

export function Desk() {
  const { user } = useSession();
  return isStaff(user.role) ? <StaffDesk /> : <WrongDoor />;
}

function StaffDesk() {
  const { workspace } = useSession();
  const { ticketId } = useParams();
  const [query] = useSearchParams();
  const choice = readChoice(query, workspace.workflow);
  const replyBox = useRef<ReplyBoxHandle | null>(null);
  const bell = useRef<BellHandle | null>(null);
  const list = useRef<ListHandle | null>(null);
  const ticket = useRef<TicketHandle | null>(null);
  const shortcuts = useShortcuts({ replyBox, bell, list, ticket });
  useTopic("workspace");
  useTitle(ticketId ? null : `${VIEWS[choice.view].label} · ${workspace.name}`);

  return (
    <div className="flex h-full flex-col lg:flex-row">
      <button
        type="button"
        className={clsx(buttonLook("primary"), "fixed start-3 top-3 z-50 not-focus:sr-only")}
        onClick={() => document.getElementById("ticket")?.focus()}
      >
        Skip to the ticket
      </button>
      <LinkState />
      <header
        className={clsx(
          "flex items-center gap-2 border-line border-b bg-surface px-3 py-1.5 lg:w-56 lg:shrink-0 lg:flex-col lg:items-stretch lg:border-e lg:border-b-0 lg:px-3 lg:py-4",
          ticketId && "max-lg:hidden",
        )}
      >
        <div className="flex min-w-0 items-center gap-2.5 lg:-me-1.5 lg:mb-4 lg:ps-1.5">
          <Mark size={28} />
          <span className="grow truncate font-semibold max-sm:sr-only">{workspace.name}</span>
          <Bell
            align="start"
            {...(shortcuts.areOn && { shortcut: "b" })}
            handle={bell}
            empty="Whoever assigns you a ticket, mentions you or replies on a ticket of yours shows up here."
          />
        </div>
        <Rail choice={choice} />
        <div className="ms-auto flex flex-col gap-4 lg:ms-0 lg:mt-auto">
          <Colleagues />
          <UserMenu withName shortcuts={shortcuts} />
        </div>
      </header>
      <main className="flex min-h-0 min-w-0 grow">
        <div
          className={clsx(
            "min-h-0 min-w-0 grow lg:flex lg:w-[23rem] lg:shrink-0 lg:grow-0 lg:flex-col xl:w-[26rem]",
            ticketId && "max-lg:hidden",
          )}
        >
          <Fence what="The list">
            <List key={`${choice.view} ${choice.status}`} choice={choice} openId={ticketId ?? null} handle={list} />
          </Fence>
        </div>
        <section
          id="ticket"
          tabIndex={-1}
          aria-label="Ticket"
          className={clsx(
            "min-h-0 min-w-0 grow border-line bg-ground outline-none lg:border-s",
            !ticketId && "max-lg:hidden",
          )}
        >
          {ticketId ? (
            <Fence key={ticketId} what="This ticket">
              <Ticket key={ticketId} id={ticketId} choice={choice} replyBox={replyBox} handle={ticket} />
            </Fence>
          ) : (
            <Nothing title="No ticket open" icon={<Inbox aria-hidden="true" size={22} />}>
              <p>
                Choose one from the list, or move with{" "}
                <kbd className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs">j</kbd> and{" "}
                <kbd className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs">k</kbd> and open with Enter.{" "}
                <kbd className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs">b</kbd> opens your notifications.
              </p>
            </Nothing>
          )}
        </section>
      </main>
    </div>
  );
}

/** Customers have a page of their own; nothing of the console is of use to them. */
function WrongDoor() {
  const { user, signOut } = useSession();
  const isCustomer = user.role === "customer";
  return (
    <main>
      <Nothing title={isCustomer ? "This is the team's console" : "There are no tickets here"}>
        <p>
          {isCustomer
            ? "Your tickets are in the help centre."
            : "Your role looks after the platform and does not see the tickets of workspaces."}
        </p>
        {isCustomer && (
          <a href="/help" className={buttonLook("primary")}>
            Go to the help centre
          </a>
        )}
        <button type="button" onClick={signOut} className={buttonLook("quiet")}>
          Sign out
        </button>
      </Nothing>
    </main>
  );
}
