#!/bin/bash
# One consistent snapshot of all $SCHEMAS (names with spaces between) as a new file in $BACKUPS, of which the newest $KEEP are kept.
# A file has its name only once it is whole, on disk and readable again; its checksum lies beside it.
set -euo pipefail
umask 077
name=clove-$(date -u +%Y%m%dT%H%M%SZ).sql.gz
part=$BACKUPS/.$name.part
trap 'rm -f "$part"' EXIT
# What a pod that was killed left behind. Backups never overlap (concurrencyPolicy: Forbid), and a minute is longer than a clock's step.
find "$BACKUPS" -maxdepth 1 -name '.clove-*.part' -mmin +1 -delete
read -ra schemas <<<"$SCHEMAS"
if ! said=$(mariadb --defaults-file="$CLIENT_CNF" -e 'SELECT 1' 2>&1); then
  # 4151: this account is locked (restore.sh).
  [[ $said != *4151* ]] || said="it is being restored, or half restored. Nothing is backed up until it is whole. $said"
  echo "The database lets no backup in: $said" >&2
  exit 1
fi
# One transaction for all schemas: a seat that is sold in one has its ticket in the other.
mariadb-dump --defaults-file="$CLIENT_CNF" --single-transaction --quick --hex-blob --triggers --no-tablespaces \
  --add-drop-database --databases "${schemas[@]}" | gzip -6 >"$part"
[[ $(gzip -dc "$part" | tail -n 1) == "-- Dump completed"* ]] || { echo "The dump is not whole." >&2; exit 1; }
sum=$(sha256sum <"$part")
echo "${sum%% *}  $name" >"$BACKUPS/$name.sha256"
sync "$part" "$BACKUPS/$name.sha256"
mv "$part" "$BACKUPS/$name"
sync "$BACKUPS"
# Not while a restore has locked this account since: it may be reading one of the old ones.
mariadb --defaults-file="$CLIENT_CNF" -e 'SELECT 1' >/dev/null
mapfile -t old < <(cd "$BACKUPS" && printf '%s\n' clove-*.sql.gz | sort -r | tail -n "+$((KEEP + 1))")
for file in "${old[@]}"; do
  rm -f "${BACKUPS:?}/$file" "$BACKUPS/$file.sha256"
done
echo "Wrote $name, $(stat -c %s "$BACKUPS/$name") bytes."
