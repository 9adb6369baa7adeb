#!/usr/bin/env bash
# Ends the action with the result of the plan; 3 (changes) is a success.
set -euo pipefail
case $EXIT_CODE in
  0 | 3) ;;
  4)
    echo "::error title=ColdSend plan::The plan has an action of fail-on; see the summary of this job"
    exit 4
    ;;
  *)
    echo "::error title=ColdSend plan::There is no plan; see the log of this job"
    exit 1
    ;;
esac
