#!/bin/sh
# Installs Debian packages without starting a single daemon, then puts everything back as it was.
# Needs root. Usage: apt-quiet.sh PACKAGE...
#
# Debian starts services when it installs them unless /usr/sbin/policy-rc.d answers 101, and
# postgresql-common makes a cluster named "main" unless create_main_cluster is off. Both are
# set before and restored after. A run that was killed half-way is put right by the next one.
set -eu

root="${TANDEM_APT_ROOT:-}"                 # the tests put a scratch folder here
apt_get="${TANDEM_APT_GET:-apt-get}"        # and a stand-in here
policy="$root/usr/sbin/policy-rc.d"
policy_before="$policy.before-tandem"
cluster_folder="$root/etc/postgresql-common/createcluster.d"
cluster="$cluster_folder/zz-tandem.conf"
mark='written by the Tandem launcher'

policy_is_ours() { [ -f "$policy" ] && grep -q "$mark" "$policy"; }

restore() {
    if policy_is_ours; then rm -f "$policy"; fi
    if [ -e "$policy_before" ]; then mv -f "$policy_before" "$policy"; fi
    rm -f "$cluster"
    rmdir "$cluster_folder" 2>/dev/null || true
}

quiet() {
    restore                                 # what an earlier, killed run may have left
    mkdir -p "${policy%/*}" "$cluster_folder"
    if [ -e "$policy" ]; then mv "$policy" "$policy_before"; fi
    printf '#!/bin/sh\n# %s: no daemon starts while it installs packages\nexit 101\n' "$mark" > "$policy"
    chmod 755 "$policy"
    printf '# %s\ncreate_main_cluster = false\n' "$mark" > "$cluster"
}

install() {
    DEBIAN_FRONTEND=noninteractive "$apt_get" \
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
        install -y --no-install-recommends --no-upgrade "$@"
}

trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM
quiet
# package lists may be missing (fresh machine) or stale: fetch them only when they are
if install "$@"; then exit 0; fi
echo "tandem  refreshing the package lists and trying again"
"$apt_get" -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 update
install "$@"
