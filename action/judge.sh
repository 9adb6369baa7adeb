#!/usr/bin/env bash
# Ends the action as the plan says: 3, changes, is what pull requests are for.
set -euo pipefail
case $EXIT_CODE in
  0 | 3) ;;
  4)
    echo "::error title=ColdSend plan::The plan has an action that fail-on names; see the summary of this job"
    exit 4
    ;;
  *)
    echo "::error title=ColdSend plan::There is no plan; see the log of this job"
    exit 1
    ;;
esac
