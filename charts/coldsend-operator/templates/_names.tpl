{{- define "coldsend.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimAll "-." -}}
{{- end -}}

{{/* A name that a Service and the host name of a pod can have, too, which have no dots; short enough for suffixes such as `-metrics`. */}}
{{- define "coldsend.label" -}}
{{- . | replace "." "-" | trunc 50 | trimAll "-" -}}
{{- end -}}

{{- define "coldsend.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- include "coldsend.label" .Values.fullnameOverride -}}
{{- else if contains (include "coldsend.name" .) .Release.Name -}}
{{- include "coldsend.label" .Release.Name -}}
{{- else -}}
{{- include "coldsend.label" (printf "%s-%s" .Release.Name (include "coldsend.name" .)) -}}
{{- end -}}
{{- end -}}

{{/* Unique for releases of one name in different namespaces. */}}
{{- define "coldsend.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "coldsend.fullname" .) -}}
{{- end -}}

{{/* Before Kubernetes 1.34 the name of a Service begins with a letter. */}}
{{- define "coldsend.service" -}}
{{- $name := include "coldsend.fullname" . -}}
{{- if regexMatch "^[0-9]" $name }}coldsend-{{ end }}{{ $name -}}
{{- end -}}

{{- define "coldsend.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "coldsend.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "coldsend.apiKeySecret" -}}
{{- if .Values.apiKey.value -}}
{{- include "coldsend.fullname" . }}-api-key
{{- else -}}
{{- .Values.apiKey.existingSecret -}}
{{- end -}}
{{- end -}}

{{- define "coldsend.image" -}}
{{- $name := .Values.image.repository -}}
{{- with .Values.image.registry }}{{ $name = printf "%s/%s" . $name }}{{ end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $name .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "coldsend.selector" -}}
app.kubernetes.io/name: {{ include "coldsend.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "coldsend.podSelector" -}}
{{ include "coldsend.selector" . }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "coldsend.labels" -}}
{{- $labels := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/part-of" "coldsend-operator" -}}
{{- toYaml (mergeOverwrite (deepCopy (.Values.commonLabels | default dict)) $labels (include "coldsend.selector" . | fromYaml)) -}}
{{- end -}}

{{/* A map without null values: Helm itself does not drop those from a parent chart. */}}
{{- define "coldsend.withoutNulls" -}}
{{- $kept := dict -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $kept $key $value -}}{{- end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- end -}}
