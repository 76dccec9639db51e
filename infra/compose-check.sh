#!/usr/bin/env bash
# Builds the image and runs docker-compose.yml for real, with faults: a worker killed, the broker restarted, the
# coordinator killed, all in the middle of the quickstart. Its facts must be those of `nesgd run` on this machine.
#
#   infra/compose-check.sh [--without-registry] [--keep-images]
#
# Wants root or a user of Docker, a checkout that `npm run setup` has been through, curl, and about 5 GB of disk.
# COMPOSE names the command (default: "docker compose", else docker-compose). Not a part of `npm test`; 5 to 10 minutes.
#
# --without-registry: for machines that reach Debian, npm and PyPI but no registry of images: stands a Debian made by
#   debootstrap, with this machine's Node, certificates and settings of npm and pip, in for the Node image, and the same with the
#   Valkey of `npm run setup` for Valkey's. The names they get are removed at the end, unless --keep-images.
set -euo pipefail
cd "$(dirname "$0")/.."

without_registry=false
keep_images=false
for flag in "$@"; do
  case "$flag" in
    --without-registry) without_registry=true ;;
    --keep-images) keep_images=true ;;
    *) sed -n '2,15s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done

if [ -z "${COMPOSE:-}" ]; then
  if docker compose version >/dev/null 2>&1; then COMPOSE='docker compose'; else COMPOSE=docker-compose; fi
fi
export NESGD_SECRET NESGD_WORKERS=2 NESGD_RUN=check NESGD_DASHBOARD_PORT="${NESGD_DASHBOARD_PORT:-17380}"
NESGD_SECRET=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
compose() { $COMPOSE --project-name nesgd-check "$@"; }
url="http://127.0.0.1:$NESGD_DASHBOARD_PORT"
work=$(mktemp -d)
stand_ins=()

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
fail() { say "FAILED: $*"; exit 1; }

clean_up() {
  code=$?
  if [ $code -ne 0 ]; then compose logs --tail 40 >&2 || true; fi
  compose down --volumes --timeout 60 >/dev/null 2>&1 || true
  if ! $keep_images && [ ${#stand_ins[@]} -gt 0 ]; then docker image rm "${stand_ins[@]}" >/dev/null 2>&1 || true; fi
  rm -rf "$work"
}
trap clean_up EXIT

# until SECONDS WHAT COMMAND...: waits for the command to succeed.
until_() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ $SECONDS -lt $deadline ] || fail "waited in vain until $what"
    sleep 1
  done
  say "$what"
}

# Builds an image from a file system: import NAME FOLDER
import_() {
  tar -C "$2" --numeric-owner -c . |
    docker import --change "ENV NODE_EXTRA_CA_CERTS=$certificates PIP_CERT=$certificates" - "$1" >/dev/null
  stand_ins+=("$1")
}

make_stand_ins() {
  local node valkey certificates=/etc/ssl/machine.crt
  node=$(sed -n 's/^ARG NODE_IMAGE=//p' infra/docker/Dockerfile)
  valkey=$(sed -n 's/^ *image: \(valkey.*\)/\1/p' docker-compose.yml)
  if docker image inspect "$node" "$valkey" >/dev/null 2>&1; then say "images $node and $valkey are there"; return; fi
  local root="$work/root"
  debootstrap --variant=minbase --include=ca-certificates,libatomic1,redis-tools "$(. /etc/os-release; echo "$VERSION_CODENAME")" "$root" >"$work/debootstrap.log" ||
    fail "debootstrap: $(tail -3 "$work/debootstrap.log")"
  local prefix
  prefix=$(node -p 'require("node:path").dirname(require("node:path").dirname(process.execPath))')
  install -D "$prefix/bin/node" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -r "$(npm root -g)/npm" "$root/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  # Builds run as root there.
  if [ -f ~/.npmrc ]; then install ~/.npmrc "$root/root"; fi
  install -m 644 /etc/ssl/certs/ca-certificates.crt "$root$certificates"
  if [ -f /etc/pip.conf ]; then install /etc/pip.conf "$root/etc"; fi
  rm -rf "$root"/var/cache/apt/archives/*.deb
  import_ "$node" "$root"
  local server
  server=$(ls "${NESGD_CACHE:-$HOME/.cache/nesgd}"/runtime/valkey-*/valkey-server)
  install -D "$server" "$root/usr/local/bin/valkey-server"
  ln -s /usr/bin/redis-cli "$root/usr/local/bin/valkey-cli"
  echo 'valkey:x:999:999::/data:/bin/sh' >>"$root/etc/passwd"
  echo 'valkey:x:999:' >>"$root/etc/group"
  install -d -o 999 -g 999 "$root/data"
  import_ "$valkey" "$root"
  say "stand-ins for $node and $valkey"
}

container() { compose ps -q "$1" | sed -n "${2:-1}p"; }
health() { docker inspect --format '{{.State.Health.Status}}' "$1"; }
is() { [ "$(health "$1")" = "$2" ]; }
facts() { docker exec "$coordinator" sh -c 'grep -c "\"type\":\"evaluated\"" /var/lib/nesgd/runs/check/journal.jsonl || true' 2>/dev/null || echo 0; }
measured() { [ "$(facts)" -ge "$1" ]; }
is_over() { docker logs "$coordinator" 2>&1 | grep -q 'the dashboard stays'; }

if $without_registry; then make_stand_ins; fi
# The classic builder on a machine of its own rules: only it builds on the network of the machine.
if $without_registry; then
  DOCKER_BUILDKIT=0 docker build --force-rm --network host --file infra/docker/Dockerfile --tag nesgd . >"$work/build.log" || fail "build: $(tail -5 "$work/build.log")"
else
  compose build >"$work/build.log" || fail "build: $(tail -5 "$work/build.log")"
fi
say "image nesgd: $(($(docker image inspect --format '{{.Size}}' nesgd) / 1000000)) MB"

compose up -d 2>"$work/up.log" || fail "up: $(cat "$work/up.log")"
broker=$(container broker) coordinator=$(container coordinator) first=$(container worker 1) second=$(container worker 2)
for one in "$broker" "$coordinator" "$first" "$second"; do
  until_ 120 "$(docker inspect --format '{{.Name}}' "$one") is healthy, as user '$(docker inspect --format '{{.Config.User}}' "$one")'" is "$one" healthy
  docker exec "$one" sh -c '! touch /nesgd-was-here 2>/dev/null && [ "$(id -u)" != 0 ]' || fail 'it is root or may write to its root'
  if docker top "$one" | grep -q "$NESGD_SECRET"; then fail 'the secret is in the list of processes'; fi
done
[ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/runs")" = 401 ] || fail 'the dashboard answers strangers'
curl -sf -o /dev/null -c "$work/cookies" -H "Origin: $url" --data-urlencode "secret=$NESGD_SECRET" "$url/login" || fail 'no login'
curl -sf -b "$work/cookies" "$url/api/runs" | grep -q '"runId":"check"' || fail 'the run is not shown after a login'
say 'the dashboard shows the run after a login, and nothing before'

until_ 300 'two individuals are measured' measured 2
docker kill "$first" >/dev/null && say 'a worker is killed'
until_ 300 'four individuals are measured' measured 4
docker restart "$broker" >/dev/null && say 'the broker is restarted'
until_ 300 'six individuals are measured' measured 6
docker kill "$coordinator" >/dev/null && docker start "$coordinator" >/dev/null && say 'the coordinator is killed and started again'
until_ 600 'the run is over' is_over

docker cp "$coordinator:/var/lib/nesgd/runs/check/journal.jsonl" "$work/compose.jsonl" >/dev/null
# A cache of its own: alpha is found by what it depends on, and an older build of the engine may have left one of other bits.
mkdir "$work/cache"
ln -s "${NESGD_CACHE:-$HOME/.cache/nesgd}/runtime" "$work/cache/runtime"
NESGD_CACHE="$work/cache" node apps/coordinator/bin/nesgd.mjs run experiments/quickstart.yaml --engine tensorflow --runs "$work/runs" --run-id here --workers 2 --json >"$work/here.json" || fail 'nesgd run on this machine'
node --input-type=module -e '
  import { canonicalFacts, readJournal } from "./packages/core/dist/run/index.js";
  import { isDeepStrictEqual } from "node:util";
  const [there, here] = await Promise.all(process.argv.slice(1).map(async (path) => canonicalFacts((await readJournal(path)).lines).filter(({ type }) => type !== "opened")));
  if (!isDeepStrictEqual(there, here)) { console.error(JSON.stringify(there), "\n", JSON.stringify(here)); process.exit(1); }
  console.log(`the ${there.length} facts are those of "nesgd run" on this machine`);
' "$work/compose.jsonl" "$work/runs/here/journal.jsonl" || fail 'the facts differ from those of "nesgd run" on this machine'

docker stop "$broker" >/dev/null && say 'the broker is stopped'
until_ 180 'the worker is unhealthy without it' is "$second" unhealthy
until_ 180 'the coordinator is unhealthy without it' is "$coordinator" unhealthy
docker exec "$second" node apps/worker/dist/health/check.js --alive >/dev/null || fail 'the worker is not alive'
docker start "$broker" >/dev/null && say 'the broker is started'
until_ 120 'the worker is healthy again' is "$second" healthy

before=$SECONDS
compose stop 2>/dev/null
[ $((SECONDS - before)) -lt 60 ] || fail 'stopping took longer than the grace period'
for one in "$second" "$coordinator" "$broker"; do
  code=$(docker inspect --format '{{.State.ExitCode}}' "$one")
  [ "$code" = 0 ] || fail "$(docker inspect --format '{{.Name}}' "$one") ended with $code"
done
say "stopped in $((SECONDS - before)) s, all with exit code 0"
echo 'compose check: passed'
