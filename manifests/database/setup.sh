#!/bin/bash
# Makes the schemas and users of a booking system as $SETUP_SQL says. Waits for the server; may run any number of times.
set -euo pipefail
deadline=$((SECONDS + ${WAIT_S:-300}))
until said=$(mariadb --defaults-file="$CLIENT_CNF" -e 'SELECT 1' 2>&1); do
  if [ "$SECONDS" -ge "$deadline" ]; then
    echo "The database did not answer: $said" >&2
    exit 1
  fi
  sleep 0.2
done
mariadb --defaults-file="$CLIENT_CNF" <"$SETUP_SQL"
echo "Schemas and users are as they should be."
