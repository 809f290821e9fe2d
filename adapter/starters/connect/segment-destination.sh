
# Nothing of this shows a secret: they go to curl on its standard input, not on its command line.
set +x
set -eu
line='
'

fail() {
  printf 'stopped: %s\n' "$1" >&2
  [ -z "${destination:-}" ] ||
    printf 'the destination is there: run this again with DESTINATION_ID=%s\n' "$destination" >&2
  exit 1
}

# Checks that a value of the environment can be in a header and in a JSON text.
checked() {
  [ -n "$2" ] || fail "set $1: $3"
  case $2 in *[[:cntrl:]]*) fail "$1 has a line break or another control character" ;; esac
}

escaped() { printf '%s' "$1" | LC_ALL=C sed 's/[\\"]/\\&/g'; }

# Prints `id` of the object in `data` of an answer.
id_of() {
  printf '%s\n' "$1" | LC_ALL=C awk '
    { text = text $0 }
    END {
      size = length(text)
      for (i = 1; i <= size; i++) {
        c = substr(text, i, 1)
        if (c == "\"") {
          s = ""
          while (++i <= size && (c = substr(text, i, 1)) != "\"") { if (c == "\\") i++; s = s c }
          if (!value) key[depth] = s
          else if (depth == 3 && key[1] == "data" && key[3] == "id") { print s; exit }
        } else if (c == ":") value = 1
        else if (c == ",") value = 0
        else if (c == "{" || c == "[") { key[++depth] = ""; value = 0 }
        else if (c == "}" || c == "]") { depth--; value = 0 }
      }
    }'
}

# Posts a body ($3) to a path ($1) in a version of the API ($2), and sets `answer`.
post() {
  answer=$(
    {
      printf 'header = "Authorization: Bearer %s"\n' "$(escaped "$PUBLIC_API_TOKEN")"
      printf 'header = "Accept: %s"\nheader = "Content-Type: %s"\n' "$2" "$2"
      printf 'data-raw = "%s"\n' "$(escaped "$3")"
    } | curl -q --config - --silent --show-error --max-time 60 --write-out '\n%{http_code}' "$api$1"
  ) || fail "Segment's Public API gave no answer; look at Segment whether the call had an effect"
  status=${answer##*"$line"}
  answer=${answer%"$line"*}
  case $status in
    2??) ;;
    401) fail 'Segment refuses PUBLIC_API_TOKEN (401): it must be the token of a Workspace Owner' ;;
    403) fail 'PUBLIC_API_TOKEN may not do this (403): it must be the token of a Workspace Owner' ;;
    429) fail 'Segment limits requests (429): wait a minute' ;;
    *) fail "Segment answered $status: $(without_secrets "$answer")" ;;
  esac
}

# Prints an answer, unless a part of a secret is in it: JSON may spell the other characters differently.
without_secrets() {
  secrets="$PUBLIC_API_TOKEN $SHARED_SECRET $AUTHORIZATION"
  for part in $(printf '%s' "$secrets" | LC_ALL=C tr -c 'A-Za-z0-9' ' '); do
    case $part in ???*) ;; *) continue ;; esac
    case $1 in *"$part"*) printf 'a text with a part of a secret, which is not shown' && return ;; esac
  done
  printf '%s' "$1"
}

new_id() {
  id=$(id_of "$answer")
  case $id in '' | *[!A-Za-z0-9_-]*) fail "the answer has no id of a $1; look for it at Segment" ;; esac
}

command -v curl >/dev/null || fail 'install curl'
checked PUBLIC_API_TOKEN "${PUBLIC_API_TOKEN:-}" "a token of Segment's Public API, of a Workspace Owner"
checked SHARED_SECRET "${SHARED_SECRET:-}" 'one of ADAPTER_SEGMENT_SHARED_SECRETS'
checked AUTHORIZATION "${AUTHORIZATION:-}" 'one of ADAPTER_SEGMENT_AUTHORIZATIONS, whole: Bearer abc'

if [ -n "${DESTINATION_ID:-}" ]; then
  case $DESTINATION_ID in *[!A-Za-z0-9_-]*) fail 'DESTINATION_ID is no id' ;; esac
  destination=$DESTINATION_ID
else
  checked SOURCE_ID "${SOURCE_ID:-}" 'the id of the source at Segment whose messages are sent'
  body='{"sourceId":"'$(escaped "$SOURCE_ID")'","metadataId":'$metadata_id',"enabled":true,"name":'$name
  body=$body',"settings":{"sharedSecret":"'$(escaped "$SHARED_SECRET")'"}}'
  post /destinations 'application/vnd.segment.v1+json' "$body"
  new_id destination
  destination=$id
fi
printf 'destination %s\n' "$destination"

body='{"name":'$name',"actionId":'$action_id',"trigger":'$trigger',"enabled":true,"settings":{"url":'$url
body=$body',"method":"POST","headers":{"Authorization":"'$(escaped "$AUTHORIZATION")'"}'
body=$body',"data":{"@path":"$."},"enable_batching":'$enable_batching',"batch_size":'$batch_size
body=$body',"batch_keys":["url","method","headers"]}}'
post "/destinations/$destination/subscriptions" 'application/vnd.segment.v1alpha+json' "$body"
new_id subscription
printf 'subscription %s\n' "$id"
