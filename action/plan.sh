#!/usr/bin/env bash
# Makes the plan and shows it in the log and the summary of the job; later steps judge it.
set -euo pipefail
folder=$RUNNER_TEMP/coldsend-plan
markdown=$folder/plan.md

arguments=(--output=markdown)
while IFS= read -r path; do
  [[ -z $path ]] || arguments+=("--filename=$path")
done <<<"$MANIFESTS"
[[ -z $KUSTOMIZE ]] || arguments+=("--kustomize=$KUSTOMIZE")
[[ -z $SNAPSHOT ]] || arguments+=("--snapshot=$SNAPSHOT")
[[ -z $KUBECONFIG_FILE ]] || arguments+=("--kubeconfig=$KUBECONFIG_FILE")
[[ -z $CONTEXT ]] || arguments+=("--context=$CONTEXT")
if [[ -n $NAMESPACE ]]; then arguments+=("--namespace=$NAMESPACE"); else arguments+=(--all-namespaces); fi
[[ -z $PRUNE_SELECTOR ]] || arguments+=(--prune "--selector=$PRUNE_SELECTOR")
[[ $LIVE != true ]] || arguments+=(--live)
[[ -z $FAIL_ON ]] || arguments+=("--fail-on=$FAIL_ON")

code=0
"$folder/venv/bin/python" -I -m coldsend_operator plan "${arguments[@]}" >"$markdown" 2>"$folder/remarks" || code=$?
case $code in
  0 | 3 | 4) ;;
  *) # no plan: the comment says so, instead of an outdated plan
    "$folder/venv/bin/python" -I "$GITHUB_ACTION_PATH/action/failure.py" <"$folder/remarks" >"$markdown"
    ;;
esac

# Names and messages come from the pull request, and the runner executes lines that begin with two colons.
stop=$("$folder/venv/bin/python" -I -c 'import secrets; print(secrets.token_hex(16))')
echo "::stop-commands::$stop"
cat "$folder/remarks" "$markdown"
echo "::$stop::"
cat "$markdown" >>"$GITHUB_STEP_SUMMARY"
printf '%s\n' "exit-code=$code" "markdown=$markdown" >>"$GITHUB_OUTPUT"
