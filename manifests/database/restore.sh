#!/bin/bash
# Puts the schemas back as they are in $BACKUP, a file of $BACKUPS or `latest`; then the users, whose passwords are the system's own.
# What was written since is gone: no service may run meanwhile, and while one of $SCHEMAS' own users is connected nothing is touched.
# Dying in the middle, it begins anew when it is run again.
set -euo pipefail
if [ "$BACKUP" = latest ]; then
  BACKUP=$(cd "$BACKUPS" && printf '%s\n' clove-*.sql.gz | sort | tail -n 1)
fi
if ! [[ $BACKUP =~ ^clove-[0-9]{8}T[0-9]{6}Z\.sql\.gz$ && -f $BACKUPS/$BACKUP ]]; then
  echo "There is no backup $BACKUP." >&2
  exit 1
fi
(cd "$BACKUPS" && sha256sum --check --quiet "$BACKUP.sha256")
deadline=$((SECONDS + ${WAIT_S:-300}))
until said=$(mariadb --defaults-file="$CLIENT_CNF" -e 'SELECT 1' 2>&1); do
  if [ "$SECONDS" -ge "$deadline" ]; then
    echo "The database did not answer: $said" >&2
    exit 1
  fi
  sleep 0.3
done
# Each schema's user is called as the schema is. Pods that are ending may take a moment.
read -ra schemas <<<"$SCHEMAS"
users=$(printf "'%s'," "${schemas[@]}")
until connected=$(mariadb --defaults-file="$CLIENT_CNF" -N -B -e \
  "SELECT GROUP_CONCAT(DISTINCT USER ORDER BY USER SEPARATOR ', ') FROM information_schema.PROCESSLIST WHERE USER IN (${users%,})") &&
  [ "$connected" = NULL ]; do
  if [ "$SECONDS" -ge "$deadline" ] || [ "$SECONDS" -ge "${REST_S:-30}" ]; then
    echo "Nothing was restored: ${connected:-somebody} still uses the database. Suspend the booking system first." >&2
    exit 1
  fi
  sleep 0.5
done
gzip -dc "$BACKUPS/$BACKUP" | mariadb --defaults-file="$CLIENT_CNF"
mariadb --defaults-file="$CLIENT_CNF" <"$SETUP_SQL"
echo "Restored $BACKUP."
