#!/bin/bash
# A backup whenever the newest of $BACKUPS is a day old, for ever: where there is no CronJob (compose.yaml). One that fails is tried again soon.
set -euo pipefail
backup=$(dirname "$0")/../database/backup.sh
while true; do
  if [ -z "$(find "$BACKUPS" -maxdepth 1 -name 'clove-*.sql.gz' -mmin -1440)" ]; then
    bash "$backup" || true
  fi
  sleep "${PAUSE_S:-600}"
done
