#!/bin/bash
# Puts the schemas back as they are in $BACKUP, a file of $BACKUPS or `latest`; then the users, whose passwords are the system's own.
# What was written since is gone: no service may run meanwhile. Dying in the middle, it begins anew when it is run again.
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
gzip -dc "$BACKUPS/$BACKUP" | mariadb --defaults-file="$CLIENT_CNF"
mariadb --defaults-file="$CLIENT_CNF" <"$SETUP_SQL"
echo "Restored $BACKUP."
