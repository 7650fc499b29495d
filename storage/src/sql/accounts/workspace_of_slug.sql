-- Which workspace a short name means; the tenant is not known yet.
-- Called by: Accounts::find and the audit. Index: workspace_slugs_pkey. Locks: none.
SELECT workspace_id FROM workspace_slugs WHERE slug = $1
