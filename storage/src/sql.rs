//! Every statement of the hub, one per file; each file says who calls it, which index it goes by and what it locks.

macro_rules! statements {
    ($($name:ident = $path:literal;)*) => {
        $(
            #[doc = concat!("`", $path, "`")]
            pub const $name: &str = include_str!(concat!("sql/", $path));
        )*

        /// All of them, by the path of their file.
        pub const ALL: &[(&str, &str)] = &[$(($path, $name)),*];
    };
}

statements! {
    ACCOUNT_FIND = "accounts/find.sql";
    ACCOUNT_SESSION = "accounts/session.sql";
    ACCOUNT_SESSION_CLOSE = "accounts/close_session.sql";
    ACCOUNT_SESSION_OPEN = "accounts/open_session.sql";
    ACCOUNT_SESSIONS_ENDED = "accounts/ended.sql";
    ACCOUNT_WORKSPACE = "accounts/workspace_of_slug.sql";
    AUDIT_LINKS = "audit/links.sql";
    AUDIT_ORPHANS = "audit/orphans.sql";
    AUDIT_TICKETS = "audit/tickets.sql";
    DRAFTS_OF_TICKET = "drafts/of_ticket.sql";
    DRAFTS_SAVE = "drafts/save.sql";
    JOURNAL_APPEND = "journal/append.sql";
    JOURNAL_DUE = "journal/due.sql";
    JOURNAL_EVENTS_AFTER = "journal/events_after.sql";
    JOURNAL_EVENTS_BEFORE = "journal/events_before.sql";
    JOURNAL_FIND_KEY = "journal/find_key.sql";
    JOURNAL_HOLD_HEADS = "journal/hold_heads.sql";
    JOURNAL_LOAD = "journal/load.sql";
    JOURNAL_SETTLE = "journal/settle.sql";
    JOURNAL_STREAM = "journal/stream.sql";
    JOURNAL_THREAD_AFTER = "journal/thread_after.sql";
    JOURNAL_THREAD_BEFORE = "journal/thread_before.sql";
    LIST_COUNT = "lists/count.sql";
    LIST_CUSTOMER_PAGE = "lists/customer_page.sql";
    LIST_STAFF_PAGE = "lists/staff_page.sql";
    NOTIFICATIONS_INBOX = "notifications/inbox.sql";
    NOTIFICATIONS_MARK_READ = "notifications/mark_read.sql";
    PROVISION_CATEGORY = "provision/category.sql";
    PROVISION_READ_CURSORS = "provision/read_cursors.sql";
    PROVISION_SESSIONS = "provision/sessions.sql";
    PROVISION_SLUG = "provision/slug.sql";
    PROVISION_TEAM = "provision/team.sql";
    PROVISION_TEAM_MEMBERS = "provision/team_members.sql";
    PROVISION_TICKET_COUNT = "provision/ticket_count.sql";
    PROVISION_USERS = "provision/users.sql";
    PROVISION_WORKSPACE = "provision/workspace.sql";
    SESSION_SET_WORKSPACE = "session/set_workspace.sql";
    SESSION_SET_WORKSPACES = "session/set_workspaces.sql";
    START_RIGHTS = "start/rights.sql";
    START_ROLE = "start/role.sql";
    START_SERVER = "start/server.sql";
    START_UNPROTECTED = "start/unprotected.sql";
    START_VERSION = "start/version.sql";
    WORKSPACE_CATEGORIES = "workspaces/categories.sql";
    WORKSPACE_FACTS = "workspaces/facts.sql";
    WORKSPACE_LEASE_NUMBERS = "workspaces/lease_numbers.sql";
    WORKSPACE_STAFF = "workspaces/staff.sql";
    WORKSPACE_TEAMS = "workspaces/teams.sql";
}
