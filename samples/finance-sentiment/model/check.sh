#!/usr/bin/env bash
# Learns the model anew and compares it with the one that is committed, byte for byte. With --write,
# puts the new one in its place. Takes about a quarter of a minute in a release build.
# model/check.sh [--write] TRAINER DATA
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
write=no
if [ "${1:-}" = --write ]; then
  write=yes
  shift
fi
if [ $# -ne 2 ]; then
  echo "model/check.sh: say [--write] TRAINER DATA" >&2
  exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" "$2" "$here/../trainer/drills.csv" "$folder/finance-sentiment.bin" "$folder/card.json"
if [ "$write" = yes ]; then
  cp "$folder/finance-sentiment.bin" "$folder/card.json" "$here"
  exit 0
fi
cmp "$folder/finance-sentiment.bin" "$here/finance-sentiment.bin"
cmp "$folder/card.json" "$here/card.json"
echo "the committed model is the one that these data give"
