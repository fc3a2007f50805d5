#!/bin/sh
# The program as scripts use it: exit codes, one line of error, one line when it is ready, a clean
# end on SIGTERM, and no key where others could read it. Usage: main_test.sh PROGRAM
set -u
program=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

fail() {
  echo "failed: $*" >&2
  failures=$((failures + 1))
}

# refused CODE WORDS ARGUMENTS...: that exit code, and one line on standard error with these words,
# beside what the log has to say of the machine, such as few open files
refused() {
  code=$1 words=$2
  shift 2
  "$program" "$@" >"$dir/out" 2>"$dir/err"
  got=$?
  [ "$got" = "$code" ] || fail "$* gave exit code $got, not $code"
  [ "$(grep -vc '^{.*}$' "$dir/err")" = 1 ] || fail "$* said more or less than a line"
  grep -q "^finance-sentiment: .*$words" "$dir/err" || fail "$* said: $(cat "$dir/err")"
  [ ! -s "$dir/out" ] || fail "$* wrote to standard output"
}

issuer=http://127.0.0.1:9
refused 2 '--issuer'
refused 2 "no option '--port'" --port 1
refused 3 'issuer must be' --listen 127.0.0.1:0 --issuer http://issuer.example --data "$dir/d"
refused 3 'does not exist' --listen 127.0.0.1:0 --issuer $issuer --data "$dir/d" --feed "$dir/none"
refused 1 'another folder' --listen 127.0.0.1:0 --issuer $issuer --data /proc/none
ALPHAVANTAGE_API_KEY='a secret' refused 3 'ALPHAVANTAGE_API_KEY' --listen 127.0.0.1:0 --issuer $issuer
! grep -q 'a secret' "$dir/err" || fail "the key was told"
"$program" --help | grep -q -- '--feed PATH' || fail "--help"

# The folder is made with its parents, for this user alone.
ALPHAVANTAGE_API_KEY=SECRETKEY "$program" --listen 127.0.0.1:0 --issuer $issuer --data "$dir/a/b" \
  >"$dir/out" 2>"$dir/err" &
pid=$!
for _ in $(seq 100); do
  [ ! -s "$dir/out" ] || break
  sleep 0.05
done
grep -qx 'finance-sentiment: ready at http://127.0.0.1:[0-9]*/mcp' "$dir/out" || fail "not ready"
[ "$(stat -c %a "$dir/a/b")" = 700 ] || fail "the data folder is open to others"
[ -f "$dir/a/b/audit.log" ] || fail "no audit trail"
! tr '\0' '\n' <"/proc/$pid/environ" | grep -q SECRETKEY || fail "the key is in the environment"
kill -TERM "$pid"
wait "$pid"
[ $? = 0 ] || fail "SIGTERM did not end it cleanly"
[ "$(wc -l <"$dir/out")" = 1 ] || fail "more than the ready line on standard output"
! grep -q SECRETKEY "$dir/err" "$dir/a/b/audit.log" || fail "the key was logged"
[ "$failures" = 0 ]
