#!/bin/sh
# The library exports what the public headers declare, and nothing else.
# usage: exports_test.sh LIBRARY INCLUDE
set -eu
library=$1 include=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Without comments and directives each name before a parenthesis is a function that is declared.
printf '#include <warder/mcp.h>\n#include <warder/client.h>\n' | cc -E -P -I "$include" - |
  grep -o 'warder_[a-z0-9_]*(' | tr -d '(' | sort -u >"$dir/declared"
nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | sed 's/@.*//' | sort -u >"$dir/exported"

[ "$(wc -l <"$dir/declared")" -gt 50 ] || { echo "the headers declare too little" >&2; exit 1; }
if ! diff "$dir/declared" "$dir/exported" >"$dir/diff"; then
  echo "declared (<) and exported (>) differ:" >&2
  grep '^[<>]' "$dir/diff" >&2
  exit 1
fi
