# One step with a lease, on the machine where it is kept. Started by lab/testbed/lease/ssh_place.py as
#     sh -c THIS sh STEP DIRECTORY TESTBED [WORD...]
# Its first line of output is an answer, what follows belongs to it.
#
# Files of a testbed: .lease (token, boot, stamp, expiry, holder: a line each), .ended (token, why), .quarantine.
#
# Invariants: all steps hold a lock on the directory; a file is there whole or not at all (written aside and renamed).
# Time is this machine's seconds since boot (/proc/uptime, which no setting of a clock changes) and is compared with
# nothing else. A stamp of another boot counts as given at the boot: whoever lives gives a new one before the expiry.
set -eu
umask 002
step=$1 directory=$2 lease=$2/$3.lease ended=$2/$3.ended aside=$2/$3.quarantine
mkdir -p "$directory"
exec 9<"$directory"
flock -w 10 9 || { echo "the lock on $directory is not let go" >&2; exit 75; }
read -r boot </proc/sys/kernel/random/boot_id
read -r uptime idle </proc/uptime
now=${uptime%.*}

# Read the lease; left is what it has still, token is empty where there is none. Above 0: a second that has only begun
# counts as none, so that nobody else's lease begins before its owner knows that it is over.
token='' holder='' left=-1
if [ -e "$lease" ]; then
    { read -r token; read -r stamped_boot; read -r stamp; read -r expiry; read -r holder; } <"$lease"
    [ "$stamped_boot" = "$boot" ] || stamp=0
    left=$((expiry - now + stamp))
fi

write() { # FILE LINE...
    file=$1
    shift
    printf '%s\n' "$@" >"$file.part"
    mv "$file.part" "$file"
}

case $step in
take) # TOKEN EXPIRY HOLDER
    if [ -e "$aside" ]; then
        echo aside
        cat "$aside"
    elif [ -n "$token" ] && [ "$token" != "$4" ] && [ "$left" -ge 0 ]; then
        printf '%s\n' busy "$left" "$holder"
    else
        [ "$token" != "$4" ] || holder=''
        write "$lease" "$4" "$boot" "$now" "$5" "$6"
        printf '%s\n' taken "$holder"
    fi
    ;;
renew) # TOKEN
    if [ "$token" = "$4" ]; then
        write "$lease" "$token" "$boot" "$now" "$expiry" "$holder"
        echo renewed
    else
        printf '%s\n' lost "$holder"
        [ ! -e "$ended" ] || cat "$ended"
    fi
    ;;
release) # TOKEN
    [ "$token" != "$4" ] || rm "$lease"
    echo released
    ;;
look)
    printf '%s\n' standing "$left" "$holder"
    [ ! -e "$aside" ] || cat "$aside"
    ;;
end) # WHY
    if [ -n "$token" ]; then
        write "$ended" "$token" "$4"
        rm "$lease"
    fi
    printf '%s\n' ended "$left" "$holder"
    ;;
aside) # QUARANTINE
    write "$aside" "$4"
    echo aside
    ;;
restore)
    echo restored
    [ ! -e "$aside" ] || cat "$aside"
    rm -f "$aside"
    ;;
esac
