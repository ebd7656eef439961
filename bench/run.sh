#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh - Postern and tuned Dovecot on the same Maildir in one run; results in build/bench/.
set -eu
python3 "$(dirname "$0")/run.py"
python3 "$(dirname "$0")/store.py"
python3 "$(dirname "$0")/idle.py"
python3 "$(dirname "$0")/soak.py"
python3 "$(dirname "$0")/smtp.py"
exec python3 "$(dirname "$0")/imap.py"
