{{/* A value in the operator's format: 1000000 instead of 1e+06, lists with commas, booleans as on and off. */}}
{{- define "coldsend.text" -}}
{{- if kindIs "bool" . -}}
{{- ternary "on" "off" . -}}
{{- else if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* The variables of the chart and `extraEnv`, which takes precedence: a list with one name twice is refused by server-side apply. */}}
{{- define "coldsend.env" -}}
{{- $extra := .Values.extraEnv | default list -}}
{{- $names := list -}}
{{- range $extra }}{{ $names = append $names .name }}{{ end -}}
{{- $env := list -}}
{{- range include "coldsend.chartEnv" . | fromYamlArray -}}
{{- if not (has .name $names) }}{{ $env = append $env . }}{{ end -}}
{{- end -}}
{{- toYaml (concat $env $extra) -}}
{{- end -}}

{{- define "coldsend.chartEnv" -}}
- name: COLDSEND_LEADER_ELECTION
  value: "on"
- name: COLDSEND_LEASE_NAME
  value: {{ include "coldsend.fullname" . | quote }}
- name: COLDSEND_LEASE_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace # also where Kustomize moves the base to another namespace
- name: COLDSEND_METRICS_ADDRESS
  value: {{ ternary ":8080" "off" .Values.metrics.enabled | quote }}
- name: COLDSEND_PROBES_ADDRESS
  value: ":8081"
{{- with .Values.namespaces }}
- name: COLDSEND_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- if include "coldsend.apiKeySecret" . }}
- name: COLDSEND_API_KEY_FILE
  value: /etc/coldsend/api-key/{{ .Values.apiKey.key }}
{{- end }}
{{- with .Values.settings }}
{{- if and .healthLow .healthGood (gt (float64 .healthLow) (float64 .healthGood)) }}
{{- fail "settings: healthLow must not be above healthGood" }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- $text := "" }}
{{- if not (kindIs "invalid" $value) }}{{ $text = include "coldsend.text" $value }}{{ end }}
{{- if $text }}
- name: COLDSEND_{{ $name | snakecase | upper }}
  value: {{ $text | quote }}
{{- end }}
{{- end }}
{{- if .Values.caBundle.configMap }}
- name: COLDSEND_CA_FILE
  value: /etc/coldsend/ca/{{ .Values.caBundle.key }}
{{- end }}
{{- $proxies := list "HTTPS_PROXY" "HTTP_PROXY" "ALL_PROXY" }}
{{- $proxied := or .Values.proxy.https .Values.proxy.http .Values.proxy.none }}
{{- range .Values.extraEnv }}{{ $proxied = or $proxied (has (upper .name) $proxies) }}{{ end }}
{{- if $proxied }}
{{- with .Values.proxy.https }}
- name: HTTPS_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with .Values.proxy.http }}
- name: HTTP_PROXY
  value: {{ . | quote }}
{{- end }}
- name: NO_PROXY
  value: {{ compact (list "$(KUBERNETES_SERVICE_HOST)" "localhost" "127.0.0.1" ".svc" ".cluster.local" .Values.proxy.none) | join "," | quote }}
{{- end }}
{{- end -}}
