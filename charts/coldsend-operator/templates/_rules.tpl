{{/* Permissions in the namespaces of SenderAccounts. tests/chart checks that each verb is used and none is missing. */}}
{{- define "coldsend.workRules" -}}
- apiGroups: [coldsend.pro]
  resources: [senderaccounts]
  verbs: [get, list, watch, create, patch, delete] # create and delete: the children of batches
- apiGroups: [coldsend.pro]
  resources: [senderaccountbatches]
  verbs: [get, list, watch, patch]
- apiGroups: [coldsend.pro]
  resources: [senderaccounts/status, senderaccountbatches/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [secrets] # passwords and API keys, by the name that an object gives; never listed
  verbs: [get]
- apiGroups: [""]
  resources: [namespaces] # annotations: approvals and defaults for objects; and whether the namespace is going
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* Only with a ClusterRole: without it discovery shows the state of the CRDs, a little later. */}}
{{- define "coldsend.crdRule" -}}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: [senderaccounts.coldsend.pro, senderaccountbatches.coldsend.pro]
  verbs: [get]
{{- end -}}

{{/* Permissions to release objects after the Role of the namespace is deleted. */}}
{{- define "coldsend.outliveRules" -}}
- apiGroups: [coldsend.pro]
  resources: [senderaccounts, senderaccountbatches]
  verbs: [get, list, watch, patch]
- apiGroups: [coldsend.pro]
  resources: [senderaccounts/status, senderaccountbatches/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- end -}}

{{/* Permissions in the operator's own namespace. `create` cannot be restricted to a name. */}}
{{- define "coldsend.ownRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "coldsend.fullname" . | quote }}]
  verbs: [get, update]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create]
- apiGroups: [""]
  resources: [configmaps] # the budget and the brake
  resourceNames: [{{ include "coldsend.fullname" . }}-state]
  verbs: [get, patch]
- apiGroups: [""]
  resources: [secrets] # the key of the digests in status
  verbs: [create]
{{- end -}}

{{/* Only with `namespaces`; otherwise the ClusterRole covers it. */}}
{{- define "coldsend.ownSecretRule" -}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [coldsend-operator-hmac]
  verbs: [get]
{{- end -}}

{{- define "coldsend.subjects" -}}
- kind: ServiceAccount
  name: {{ include "coldsend.serviceAccount" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end -}}

{{/* Permissions of `coldsend-operator plan` in the namespaces of SenderAccounts. tests/chart checks that they are enough and used. */}}
{{- define "coldsend.planRules" -}}
- apiGroups: [coldsend.pro]
  resources: [senderaccounts, senderaccountbatches]
  verbs: [list]
- apiGroups: [""]
  resources: [namespaces] # approvals and defaults for objects
  verbs: [get]
{{- end -}}

{{/* Permissions of `coldsend-operator plan` in the operator's namespace. */}}
{{- define "coldsend.planStateRule" -}}
- apiGroups: [""]
  resources: [configmaps] # the budget and the brake
  resourceNames: [{{ include "coldsend.fullname" . }}-state]
  verbs: [get]
{{- end -}}

{{/* Subjects of a binding, from a list of `planAccess.subjects`. */}}
{{- define "coldsend.planSubjects" -}}
{{- range . }}
- kind: {{ .kind }}
  name: {{ .name | quote }}
  {{- if eq .kind "ServiceAccount" }}
  namespace: {{ .namespace | quote }}
  {{- else }}
  apiGroup: rbac.authorization.k8s.io
  {{- end }}
{{- end }}
{{- end -}}
